//! Rounding to the values that 8-bit integers stand for, with the gradient of the identity inside their range
//! (straight-through estimator, Bengio et al. 2013).
use super::chunks::CHUNKS;
use super::pool::Buffer;
use super::simd;
use super::tape::{Act, Tape};
use rayon::prelude::*;

/// The real values that a channel can take: multiples of `scale` from `low` to `high`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Grid {
    /// Distance between neighbours.
    pub scale: f32,
    /// Smallest value.
    pub low: f32,
    /// Largest value.
    pub high: f32,
}

/// Records the nearest value of each channel's grid.
pub fn fake_quantize(tape: &mut Tape, x: &Act, channels: &[Grid]) -> Act {
    let tile = |value: fn(&Grid) -> f32| simd::tile(channels.iter().map(value));
    let (scale, low, high) = (tile(|g| g.scale), tile(|g| g.low), tile(|g| g.high));
    let inverse = tile(|g| 1.0 / g.scale);
    let per = (x.values().len() / channels.len()).div_ceil(CHUNKS).max(1) * channels.len();
    let mut values = Buffer::stale(x.values().len());
    x.values()
        .par_chunks(per)
        .zip(values.par_chunks_mut(per))
        .for_each(|(x, y)| simd::round_to_grid(x, [&scale, &inverse, &low, &high], y));
    let y = tape.hold(values, x.batch(), x.shape());
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let mut d = out.take_grad(grads)?;
        d.par_chunks_mut(per).zip(x.values().par_chunks(per)).for_each(|(d, x)| simd::inside(d, x, &low, &high));
        x.give_grad(grads, d)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::loss::weighted_mse;
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn rounds_and_passes_gradients_inside_the_range() {
        let grids = [Grid { scale: 0.5, low: -1.0, high: 1.5 }, Grid { scale: 0.1, low: 0.0, high: 2.0 }];
        let mut tape = Tape::default();
        let x = tape.hold(vec![0.7, 0.26, -3.0, -0.2, 1.6, 1.04].into(), 3, Shape::new(1, 1, 2));
        let y = fake_quantize(&mut tape, &x, &grids);
        let expected = [0.5, 0.3, -1.0, 0.0, 1.5, 1.0];
        assert!(y.values().iter().zip(expected).all(|(y, e)| (y - e).abs() < 1e-6), "{:?}", y.values());
        let loss = weighted_mse(&mut tape, &y, &[0.0; 6], &[1.0; 3]);
        let mut grads = loss.backward(tape).unwrap();
        let grad = x.take_grad(&mut grads).unwrap();
        let expected = [0.5 / 3.0, 0.3 / 3.0, 0.0, 0.0, 0.0, 1.0 / 3.0];
        assert!(grad.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-6), "{:?}", &grad[..]);
    }
}
