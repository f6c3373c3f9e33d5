//! Differentiable operations over dfdx's public API, one a file.
//!
//! Each file has the plain computation on slices, which float inference uses as well, and a function that records the operation on
//! dfdx's tape. This folder is the only place that names the tape. Batches are cut into a fixed number of chunks and partial sums
//! are added in a fixed order, so results do not depend on the number of threads.
pub mod activation;
pub mod add;
pub mod affine;
pub mod batch_norm;
pub mod channel_bias;
pub mod concat;
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
mod optimizer;
mod pool;
mod simd;
pub mod soft_histogram;
pub mod space;
#[cfg(test)]
mod testing;
pub mod upsample;

use crate::graph::Shape;
use dfdx::prelude::{Cpu, CpuError, Gradients, OwnedTape, Tape as _, Tensor, ZerosTensor};
pub use optimizer::{Adam, Parameters};
pub use pool::Buffer;
use std::sync::Arc;

/// Gradients of one pass.
pub type Grads = Gradients<f32, Cpu>;
type Vector = Tensor<(usize,), f32, Cpu>;
type OpResult = std::result::Result<(), CpuError>;

/// Number of chunks that a batch is cut into, whatever the number of threads.
const CHUNKS: usize = 8;

/// Images in each chunk of a batch; the last chunks may hold fewer or none.
fn images_per_chunk(batch: usize) -> usize {
    batch.div_ceil(CHUNKS).max(1)
}

/// The record of a forward pass, from which gradients are computed.
#[derive(Debug, Default)]
pub struct Tape {
    ops: OwnedTape<f32, Cpu>,
    device: Cpu,
}

impl Tape {
    /// An activation with these values. It is an input unless the caller records what made it.
    pub fn hold(&self, values: Buffer, batch: usize, shape: Shape) -> Act {
        debug_assert_eq!(values.len(), batch * shape.len());
        Act { values: Arc::new(values), slot: self.device.zeros_like(&(0,)), batch, shape }
    }

    fn record(&mut self, backward: impl 'static + FnOnce(&mut Grads) -> OpResult) {
        self.ops.add_backward_op(backward);
    }
}

/// An activation of a whole batch, NHWC, with a place for its gradient.
///
/// dfdx gives no read access to a tensor's buffer, so the values lie in a shared buffer of our own, and an empty dfdx tensor stands
/// for the activation's identity on the tape and in [`Grads`].
#[derive(Clone, Debug)]
pub struct Act {
    values: Arc<Buffer>,
    slot: Vector,
    batch: usize,
    shape: Shape,
}

impl Act {
    /// The values, NHWC.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Number of images.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The same activation seen as one vector an image.
    pub fn flat(&self) -> Self {
        Self { shape: Shape::new(1, 1, self.shape.len()), ..self.clone() }
    }

    /// Moves the gradient out: every user of this activation has already added its part.
    fn take_grad(&self, grads: &mut Grads) -> std::result::Result<Buffer, CpuError> {
        let grad = std::mem::take::<Vec<f32>>(&mut *grads.get_or_alloc_mut(&self.slot)?);
        Ok(if grad.is_empty() { Buffer::zeros(self.values.len()) } else { Buffer::from(grad) })
    }

    /// Adds `grad` to the gradient, or becomes it when there is none yet.
    fn give_grad(&self, grads: &mut Grads, grad: Buffer) -> OpResult {
        debug_assert_eq!(grad.len(), self.values.len());
        let slot: &mut Vec<f32> = &mut *grads.get_or_alloc_mut(&self.slot)?;
        if slot.is_empty() {
            *slot = grad.into_vec();
        } else {
            simd::add_assign(slot, &grad);
        }
        Ok(())
    }
}
