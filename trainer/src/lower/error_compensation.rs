//! Rounding of a row of weights that knows what the layer reads: the error of one weight is made up for by those that
//! follow (Frantar et al. 2023, GPTQ; Hassibi & Stork 1993).

use super::moments::Moments;
use nalgebra::DMatrix;

/// What a layer's rounding needs of its inputs.
pub struct ErrorCompensation {
    /// The upper Cholesky factor U of the inverse of the inputs' second moments H: H⁻¹ = UᵀU.
    upper: DMatrix<f64>,
}

/// Added to the diagonal of H, as a share of its mean.
const DAMPING: f64 = 0.01;

impl ErrorCompensation {
    /// For inputs in units of `scales`; `None` if the moments cannot be inverted.
    pub fn new(moments: &Moments, scales: &[f64]) -> Option<Self> {
        let n = scales.len();
        let at = |i: usize, j: usize| moments.second(i, j) / (scales[i] * scales[j]);
        let mean = (0..n).map(|i| at(i, i)).sum::<f64>() / n as f64;
        let h = DMatrix::from_fn(n, n, |i, j| at(i, j) + if i == j { (DAMPING * mean).max(1e-9) } else { 0.0 });
        let inverse = h.cholesky()?.inverse();
        Some(Self { upper: inverse.cholesky()?.l().transpose() })
    }

    /// Rounds `row` / `unit` to −`limit`..=`limit`.
    pub fn round(&self, row: &[f64], unit: f64, limit: f64) -> Vec<i8> {
        let mut rest: Vec<f64> = row.iter().map(|w| w / unit).collect();
        let mut rounded = Vec::with_capacity(row.len());
        for i in 0..rest.len() {
            let q = rest[i].round().clamp(-limit, limit);
            let error = (rest[i] - q) / self.upper[(i, i)];
            for (j, rest) in rest.iter_mut().enumerate().skip(i + 1) {
                *rest -= error * self.upper[(i, j)];
            }
            rounded.push(q as i8);
        }
        rounded
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two inputs that always agree: only the sum of their weights counts, so one is rounded up where the other is
    /// rounded down.
    #[test]
    fn errors_make_up_for_each_other() {
        let mut moments = Moments::new(2);
        (0..100).for_each(|i| moments.add(&[i as f32, i as f32]));
        let compensation = ErrorCompensation::new(&moments, &[0.5, 0.5]).unwrap();
        let rounded = compensation.round(&[1.4, 1.4], 1.0, 7.0);
        assert_eq!(rounded.iter().map(|&q| i32::from(q)).sum::<i32>(), 3);
        // Inputs that have nothing to do with each other: each to the nearest.
        let mut moments = Moments::new(2);
        (0..100).for_each(|i| moments.add(&[(i % 2) as f32, ((i + 1) % 2) as f32]));
        let compensation = ErrorCompensation::new(&moments, &[1.0, 1.0]).unwrap();
        assert_eq!(compensation.round(&[1.4, -2.6], 1.0, 7.0), [1, -3]);
        assert_eq!(compensation.round(&[140.0, -9.0], 1.0, 7.0), [7, -7], "clamped");
    }
}
