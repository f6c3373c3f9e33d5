//! Batch normalisation (Ioffe & Szegedy 2015): y = γ·(x − μ)/√(v + tiny) + β with the batch's own mean μ and variance v
//! a channel.
use super::chunks::images_per_chunk;
use super::optimizer::Parameters;
use super::pool::Buffer;
use super::simd;
use super::tape::{Act, Tape};
use rayon::prelude::*;
use std::ops::Range;

/// The term added to a variance before its root is taken.
pub const NORM_TINY: f32 = 1e-5;

/// Mean and variance a channel of one batch.
#[derive(Clone, Debug, PartialEq)]
pub struct BatchStats {
    /// Mean of each channel.
    pub mean: Vec<f32>,
    /// Biased variance of each channel.
    pub variance: Vec<f32>,
}

/// Records the normalisation of x with the batch's statistics, which it returns as well.
pub fn batch_norm(
    tape: &mut Tape,
    x: &Act,
    params: &Parameters,
    gamma: Range<usize>,
    beta: Range<usize>,
) -> (Act, BatchStats) {
    let channels = x.shape().channels;
    let count = (x.batch() * x.shape().pixels()) as f64;
    let sums = simd::column_products(x.values(), None, channels);
    let moments: Vec<[f64; 2]> = sums
        .iter()
        .map(|[sum, squares]| {
            let mean = sum / count;
            [mean, (squares / count - mean * mean).max(0.0)]
        })
        .collect();
    let roots: Vec<f64> = moments.iter().map(|[_, variance]| 1.0 / (variance + f64::from(NORM_TINY)).sqrt()).collect();
    let (g, b) = (&params.values()[gamma.clone()], &params.values()[beta.clone()]);
    let scale: Vec<f32> = g.iter().zip(&roots).map(|(g, r)| (f64::from(*g) * r) as f32).collect();
    let shift: Vec<f32> = b
        .iter()
        .zip(&moments)
        .zip(&scale)
        .map(|((b, [mean, _]), s)| (f64::from(*b) - mean * f64::from(*s)) as f32)
        .collect();
    let stats = BatchStats {
        mean: moments.iter().map(|m| m[0] as f32).collect(),
        variance: moments.iter().map(|m| m[1] as f32).collect(),
    };

    let mut values = Buffer::stale(x.values().len());
    let per = images_per_chunk(x.batch()) * x.shape().len();
    let (a, b) = (simd::tile(scale.iter().copied()), simd::tile(shift.iter().copied()));
    x.values().par_chunks(per).zip(values.par_chunks_mut(per)).for_each(|(x, y)| simd::scale_shift(x, &a, &b, y));
    let y = tape.hold(values, x.batch(), x.shape());

    let (x, out, params) = (x.clone(), y.clone(), params.clone());
    tape.record(move |grads| {
        let mut d = out.take_grad(grads)?;
        // With x̂ = (x − μ)·r: dβ = Σ dy, dγ = Σ dy·x̂ = r·(Σ dy·x − μ·Σ dy), and
        // dx = γ·r·(dy − dβ/N − x̂·dγ/N), an affine function of dy and x.
        let sums = simd::column_products(&d, Some(x.values()), channels);
        let mut coefficients = [vec![0.0; channels], vec![0.0; channels], vec![0.0; channels]];
        let g = &params.values()[gamma.clone()];
        let grad = params.grad(grads)?;
        for (c, [sum, product]) in sums.into_iter().enumerate() {
            let (mean, root, gamma_c) = (moments[c][0], roots[c], f64::from(g[c]));
            let dgamma = root * (product - mean * sum);
            grad[gamma.start + c] += dgamma as f32;
            grad[beta.start + c] += sum as f32;
            let slope = -gamma_c * root * root * dgamma / count;
            coefficients[0][c] = (gamma_c * root) as f32;
            coefficients[1][c] = slope as f32;
            coefficients[2][c] = (-gamma_c * root * sum / count - slope * mean) as f32;
        }
        let [a, b, c] = coefficients.map(|v| simd::tile(v.into_iter()));
        d.par_chunks_mut(per).zip(x.values().par_chunks(per)).for_each(|(d, x)| simd::combine(d, x, &a, &b, &c));
        x.give_grad(grads, d)
    });
    (y, stats)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(5, 5, 3);
        let run = |tape: &mut Tape, acts: &[Act], params: &Parameters| batch_norm(tape, &acts[0], params, 0..3, 3..6).0;
        check_gradients("batch norm", 4, &[shape], 6, run);
        check_threads("batch norm", 19, &[shape], 6, run);
    }

    #[test]
    fn normalises() {
        let mut tape = Tape::default();
        let shape = Shape::new(2, 2, 2);
        let x = tape.hold((0..24).map(|i| (i * i % 17) as f32).collect::<Vec<_>>().into(), 3, shape);
        let params = Parameters::new(vec![1.0, 2.0, 0.5, -1.0]);
        let (y, stats) = batch_norm(&mut tape, &x, &params, 0..2, 2..4);
        for c in 0..2 {
            let column = |v: &[f32]| v.iter().skip(c).step_by(2).copied().collect::<Vec<_>>();
            let mean = |v: &[f32]| v.iter().sum::<f32>() / v.len() as f32;
            let variance = |v: &[f32]| v.iter().map(|x| (x - mean(v)).powi(2)).sum::<f32>() / v.len() as f32;
            let (x, y) = (column(x.values()), column(y.values()));
            assert!((mean(&x) - stats.mean[c]).abs() < 1e-4 && (variance(&x) - stats.variance[c]).abs() < 1e-3);
            assert!((mean(&y) - [0.5, -1.0][c]).abs() < 1e-4 && (variance(&y) - [1.0, 4.0][c]).abs() < 1e-3);
        }
    }
}
