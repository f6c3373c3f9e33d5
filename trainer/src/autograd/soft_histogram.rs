//! How often values lie near given ones: a histogram with soft bins, for each image.
use super::pool::Buffer;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;
use rayon::prelude::*;

/// A bin: values weigh exp(−((x − centre)/width)²).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bin {
    /// Where the weight is 1.
    pub centre: f32,
    /// Distance at which it is 1/e.
    pub width: f32,
}

impl Bin {
    fn weight(self, x: f32) -> f32 {
        let distance = (x - self.centre) / self.width;
        (-distance * distance).exp()
    }
}

/// Records the mean weight of each image's values in each bin, a vector an image.
pub fn soft_histogram(tape: &mut Tape, x: &Act, bins: &[Bin]) -> Act {
    let len = x.shape().len();
    let mut values = Buffer::stale(x.batch() * bins.len());
    values.par_chunks_exact_mut(bins.len()).zip(x.values().par_chunks_exact(len)).for_each(|(y, x)| {
        for (y, bin) in y.iter_mut().zip(bins) {
            *y = x.iter().map(|x| bin.weight(*x)).sum::<f32>() / len as f32;
        }
    });
    let y = tape.hold(values, x.batch(), Shape::new(1, 1, bins.len()));
    let (x, out, bins) = (x.clone(), y.clone(), bins.to_vec());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dx = Buffer::zeros(x.values().len());
        let images = dx.par_chunks_exact_mut(len).zip(x.values().par_chunks_exact(len));
        images.zip(dy.par_chunks_exact(bins.len())).for_each(|((dx, x), dy)| {
            for (bin, dy) in bins.iter().zip(dy) {
                let scale = -2.0 * dy / (bin.width * bin.width * len as f32);
                dx.iter_mut().zip(x).for_each(|(d, x)| *d += scale * (x - bin.centre) * bin.weight(*x));
            }
        });
        x.give_grad(grads, dx)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    const BINS: [Bin; 2] = [Bin { centre: -1.0, width: 0.6 }, Bin { centre: 0.5, width: 1.0 }];

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(3, 2, 2);
        let run = |tape: &mut Tape, acts: &[Act], _: &_| soft_histogram(tape, &acts[0], &BINS);
        check_gradients("soft histogram", 4, &[shape], 1, run);
        check_threads("soft histogram", 19, &[shape], 1, run);
    }

    #[test]
    fn counts_what_is_near() {
        let mut tape = Tape::default();
        let x = tape.hold(vec![-1.0, -1.0, 9.0, -0.4].into(), 1, Shape::new(2, 2, 1));
        let y = soft_histogram(&mut tape, &x, &BINS[..1]);
        assert!((y.values()[0] - (2.0 + (-1.0f32).exp()) / 4.0).abs() < 1e-6);
    }
}
