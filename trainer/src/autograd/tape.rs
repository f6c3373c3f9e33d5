//! The tape of a training pass, over dfdx's public API, and the activations on it.
use super::pool::Buffer;
use super::simd;
use crate::graph::shape::Shape;
use dfdx::prelude::{Cpu, CpuError, Gradients, OwnedTape, Tape as _, Tensor, ZerosTensor};
use std::sync::Arc;

/// Gradients of one pass.
pub type Grads = Gradients<f32, Cpu>;
/// A vector of the tape's library.
pub(crate) type Vector = Tensor<(usize,), f32, Cpu>;
/// What a backward pass answers.
pub type OpResult = std::result::Result<(), CpuError>;

/// The record of a forward pass, from which gradients are computed.
#[derive(Debug, Default)]
pub struct Tape {
    pub(super) ops: OwnedTape<f32, Cpu>,
    pub(super) device: Cpu,
}

impl Tape {
    /// An activation with these values. It is an input unless the caller records what made it.
    pub fn hold(&self, values: Buffer, batch: usize, shape: Shape) -> Act {
        debug_assert_eq!(values.len(), batch * shape.len());
        Act { values: Arc::new(values), slot: self.device.zeros_like(&(0,)), batch, shape }
    }

    /// Records what turns the gradient of a result into those of its operands.
    pub fn record(&mut self, backward: impl 'static + FnOnce(&mut Grads) -> OpResult) {
        self.ops.add_backward_op(backward);
    }
}

/// An activation of a whole batch, NHWC, with a place for its gradient.
///
/// dfdx gives no read access to a tensor's buffer, so the values lie in a shared buffer of our own, and an empty dfdx
/// tensor stands for the activation's identity on the tape and in [`Grads`].
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

    /// The same activation seen as images of another shape with as many values.
    pub fn shaped(&self, shape: Shape) -> Self {
        debug_assert_eq!(shape.len(), self.shape.len());
        Self { shape, ..self.clone() }
    }

    /// Moves the gradient out: every user of this activation has already added its part.
    ///
    /// # Errors
    /// Out of memory.
    pub fn take_grad(&self, grads: &mut Grads) -> std::result::Result<Buffer, CpuError> {
        let grad = std::mem::take::<Vec<f32>>(&mut *grads.get_or_alloc_mut(&self.slot)?);
        Ok(if grad.is_empty() { Buffer::zeros(self.values.len()) } else { Buffer::from(grad) })
    }

    /// Adds `grad` to the gradient, or becomes it when there is none yet.
    ///
    /// # Errors
    /// Out of memory.
    pub fn give_grad(&self, grads: &mut Grads, grad: Buffer) -> OpResult {
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
