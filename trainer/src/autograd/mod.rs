//! Differentiable primitives over dfdx's public API, one a file; the ops of a graph are made of them in [`crate::ops`].
//!
//! Each file has the plain computation on slices and a function that records it on the tape. Batches are cut into a
//! fixed number of chunks and partial sums are added in a fixed order, so results do not depend on the number of
//! threads.
pub mod affine;
pub mod batch_norm;
pub mod by_value;
pub(crate) mod chunks;
pub mod conv;
mod conv_dense;
mod conv_depthwise;
pub mod cross_entropy;
pub mod dropout;
pub mod embedding;
pub mod fake_quantize;
mod gemm;
pub mod loss;
pub mod max_pool;
pub(crate) mod optimizer;
pub(crate) mod pool;
pub(crate) mod simd;
pub mod soft_histogram;
pub mod space;
pub mod spectrum;
pub(crate) mod tape;
#[cfg(test)]
pub(crate) mod testing;

pub use optimizer::{Adam, Parameters};
pub use pool::Buffer;
pub use tape::{Act, Grads, OpResult, Tape};
