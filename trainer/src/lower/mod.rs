//! From a folded float network to a model file: quantization of weights and activations, fusion of
//! layers into ops, placement.
//!
//! Ranges of activations come from calibration ([`calibrate`](mod@calibrate)), one a layer. A value of the network is a
//! list of parts that lie one after the other along the channels, each a tensor that may have to be
//! read enlarged; so concatenation and enlargement cost nothing where a convolution reads them.
//!
//! What an op becomes is written in its file in [`crate::ops`]; it works with a [`context::Lowering`].
pub mod assemble;
pub mod axes;
mod bias_columns;
pub mod builder;
pub mod calibrate;
pub mod check;
pub mod context;
pub mod correct;
mod error_compensation;
mod fuse;
pub mod layer;
pub mod moments;
pub mod part;
mod quantize;
pub mod rounding;
pub mod scale;
pub mod step;
pub mod windows;
pub mod winograd;

pub use assemble::{lower, Export, Lowered, Measured};
pub use builder::{BuildError, Frame, ModelBuilder};
pub use check::{check, trial};
pub use context::Accumulator;
pub use layer::{FloatLayer, IntegerLayer};
pub use quantize::{quantize, quantize_apart, Choices, StateName, Title, WeightBits};
pub use scale::{Quantization, Range};
