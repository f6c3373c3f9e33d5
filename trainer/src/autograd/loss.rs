//! Losses, where the backward pass starts: the weighted mean squared error, and what all losses share.
use super::chunks::images_per_chunk;
use super::pool::Buffer;
use super::simd;
use super::tape::{Act, Grads, Tape};
use dfdx::prelude::{Backward, Cpu, CpuError, PutTape, Rank0, Tensor, ZerosTensor};
use rayon::prelude::*;

/// A recorded scalar.
#[derive(Debug)]
pub struct Loss {
    /// The value.
    pub value: f64,
    scalar: Tensor<Rank0, f32, Cpu>,
}

impl Loss {
    /// A loss of `value` whose gradient with respect to `output` is `grad`.
    pub(super) fn record(tape: &mut Tape, output: &Act, value: f64, mut grad: Buffer) -> Self {
        let scalar: Tensor<Rank0, f32, Cpu> = tape.device.zeros();
        let (output, start) = (output.clone(), scalar.clone());
        tape.record(move |grads| {
            let upstream = grads.get_or_alloc_mut(&start)?[0];
            if upstream != 1.0 {
                grad.iter_mut().for_each(|g| *g *= upstream);
            }
            output.give_grad(grads, grad)
        });
        Self { value, scalar }
    }

    /// Records the mean over a batch and all values of what `loss(image, grad, output)` sums up for the values of an image;
    /// it fills `grad` with the derivative of the mean.
    pub(super) fn by_image(
        tape: &mut Tape,
        output: &Act,
        loss: impl Fn(usize, &mut [f32], &[f32]) -> f64 + Sync,
    ) -> Self {
        let (len, count) = (output.shape().len(), output.values().len());
        let mut grad = Buffer::stale(count);
        let images = grad.par_chunks_mut(len).zip(output.values().par_chunks(len)).enumerate();
        let sums = images
            .with_min_len(images_per_chunk(output.batch()))
            .map(|(image, (grad, output))| loss(image, grad, output));
        let value = sums.collect::<Vec<_>>().iter().sum::<f64>() / count as f64;
        Self::record(tape, output, value, grad)
    }

    /// The sum of losses: of `value`, with these gradients with respect to several activations.
    pub fn of_gradients(tape: &mut Tape, value: f64, gradients: Vec<(Act, Buffer)>) -> Self {
        let scalar: Tensor<Rank0, f32, Cpu> = tape.device.zeros();
        tape.record(move |grads| gradients.into_iter().try_for_each(|(output, grad)| output.give_grad(grads, grad)));
        Self { value, scalar }
    }

    /// The gradients of everything that was recorded on `tape`.
    ///
    /// # Errors
    /// Out of memory.
    pub fn backward(self, tape: Tape) -> Result<Grads, CpuError> {
        self.scalar.put_tape(tape.ops).try_backward()
    }
}

/// Records the mean over the batch and all values of weight · (output − target)², with one weight an image.
pub fn weighted_mse(tape: &mut Tape, output: &Act, target: &[f32], weights: &[f32]) -> Loss {
    let len = output.shape().len();
    let scale = 2.0 / output.values().len() as f32;
    Loss::by_image(tape, output, |image, grad, output| {
        let (target, weight) = (&target[image * len..][..len], weights[image]);
        for ((g, o), t) in grad.iter_mut().zip(output).zip(target) {
            *g = o - t;
        }
        let sum = f64::from(simd::sum_of_squares(grad)) * f64::from(weight);
        grad.iter_mut().for_each(|g| *g *= weight * scale);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn value_and_gradient() {
        let mut tape = Tape::default();
        let x = tape.hold(vec![1.0, 2.0, 3.0, 5.0].into(), 2, Shape::new(1, 1, 2));
        let loss = weighted_mse(&mut tape, &x, &[0.0, 2.0, 1.0, 1.0], &[1.0, 0.5]);
        assert_eq!(loss.value, (1.0 + 0.5 * (4.0 + 16.0)) / 4.0);
        let mut grads = loss.backward(tape).unwrap();
        assert_eq!(&x.take_grad(&mut grads).unwrap()[..], [0.5, 0.0, 0.5, 1.0]);
    }
}
