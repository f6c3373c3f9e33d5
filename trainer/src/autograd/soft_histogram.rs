//! How often pixels lie near given colours: a histogram with soft bins, for each image.
use super::pool::Buffer;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;
use rayon::prelude::*;

/// A bin: pixels weigh exp(−(|x − centre|/width)²).
#[derive(Clone, Debug, PartialEq)]
pub struct Bin {
    /// Where the weight is 1: a value of every channel.
    pub centre: Vec<f32>,
    /// Distance at which it is 1/e.
    pub width: f32,
}

impl Bin {
    fn weight(&self, pixel: &[f32]) -> f32 {
        let distance = |(x, centre): (&f32, &f32)| ((x - centre) / self.width).powi(2);
        (-pixel.iter().zip(&self.centre).map(distance).sum::<f32>()).exp()
    }
}

/// Records the mean weight of each image's pixels in each bin, a vector an image.
pub fn soft_histogram(tape: &mut Tape, x: &Act, bins: &[Bin]) -> Act {
    let Shape { channels, .. } = x.shape();
    let (len, pixels) = (x.shape().len(), x.shape().pixels() as f32);
    let mut values = Buffer::stale(x.batch() * bins.len());
    values.par_chunks_exact_mut(bins.len()).zip(x.values().par_chunks_exact(len)).for_each(|(y, x)| {
        for (y, bin) in y.iter_mut().zip(bins) {
            *y = x.chunks_exact(channels).map(|pixel| bin.weight(pixel)).sum::<f32>() / pixels;
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
                let scale = -2.0 * dy / (bin.width * bin.width * pixels);
                for (d, pixel) in dx.chunks_exact_mut(channels).zip(x.chunks_exact(channels)) {
                    let weight = bin.weight(pixel);
                    let slopes = pixel.iter().zip(&bin.centre).map(|(x, centre)| scale * (x - centre) * weight);
                    d.iter_mut().zip(slopes).for_each(|(d, slope)| *d += slope);
                }
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

    fn bins() -> [Bin; 2] {
        [Bin { centre: vec![-1.0, 0.2], width: 0.6 }, Bin { centre: vec![0.5, 0.4], width: 1.0 }]
    }

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(3, 2, 2);
        let run = |tape: &mut Tape, acts: &[Act], _: &_| soft_histogram(tape, &acts[0], &bins());
        check_gradients("soft histogram", 4, &[shape], 1, run);
        check_threads("soft histogram", 19, &[shape], 1, run);
    }

    #[test]
    fn counts_what_is_near() {
        let mut tape = Tape::default();
        let x = tape.hold(vec![-1.0, -1.0, 9.0, -0.4].into(), 1, Shape::new(2, 2, 1));
        let y = soft_histogram(&mut tape, &x, &[Bin { centre: vec![-1.0], width: 0.6 }]);
        assert!((y.values()[0] - (2.0 + (-1.0f32).exp()) / 4.0).abs() < 1e-6);
    }
}
