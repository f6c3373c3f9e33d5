//! Losses that are a sum over values of the network's output, each with a function of its own.
use super::loss::Loss;
use super::tape::{Act, Tape};

/// Records the mean over a batch of `loss(image, i, f)`, which gives value and derivative for value number i of the batch,
/// which belongs to `image` and is `f`.
pub fn mean_of(tape: &mut Tape, output: &Act, loss: impl Fn(usize, usize, f32) -> [f64; 2] + Sync) -> Loss {
    let len = output.shape().len();
    let count = output.values().len() as f64;
    Loss::by_image(tape, output, |image, grad, output| {
        let values = grad.iter_mut().zip(output).enumerate();
        let value = |(k, (slot, f)): (usize, (&mut f32, &f32))| {
            let [value, slope] = loss(image, image * len + k, *f);
            *slot = (slope / count) as f32;
            value
        };
        values.map(value).sum::<f64>()
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
        // (image + 1)·f², less the number of the value.
        let loss = mean_of(&mut tape, &x, |image, i, f| {
            let (factor, f) = (image as f64 + 1.0, f64::from(f));
            [factor * f * f - i as f64, 2.0 * factor * f]
        });
        assert_eq!(loss.value, (1.0 + 4.0 + 18.0 + 50.0 - 6.0) / 4.0);
        let mut grads = loss.backward(tape).unwrap();
        assert_eq!(&x.take_grad(&mut grads).unwrap()[..], [0.5, 1.0, 3.0, 5.0]);
    }
}
