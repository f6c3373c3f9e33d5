//! Fréchet distance between two sets of feature vectors, each taken for a normal distribution (Dowson & Landau 1982;
//! Heusel et al. 2017, equation 6): |μ₁ − μ₂|² + tr(Σ₁ + Σ₂ − 2·(Σ₁^½ Σ₂ Σ₁^½)^½).
use nalgebra::{DMatrix, DVector, SymmetricEigen};

/// Mean and covariance of a set of vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Moments {
    mean: DVector<f64>,
    covariance: DMatrix<f64>,
}

impl Moments {
    /// The moments of `vectors`, each of `len` values; the covariance is divided by the number of vectors less one.
    /// `pick` chooses vectors by their index, as often as it names them.
    pub fn of(vectors: &[f32], len: usize, pick: impl Iterator<Item = usize>) -> Self {
        let values: Vec<f64> =
            pick.flat_map(|i| vectors[i * len..(i + 1) * len].iter().map(|v| f64::from(*v))).collect();
        // One column a vector.
        let mut x = DMatrix::from_vec(len, values.len() / len, values);
        let count = x.ncols() as f64;
        let mean = x.column_mean();
        x.column_iter_mut().for_each(|mut column| column -= &mean);
        let covariance = &x * x.transpose() / (count - 1.0).max(1.0);
        Self { mean, covariance }
    }

    /// The squared Fréchet (2-Wasserstein) distance, in squared units of the features.
    pub fn distance(&self, other: &Self) -> f64 {
        let root = square_root(&self.covariance);
        let product = &root * &other.covariance * &root;
        let product = (&product + product.transpose()) * 0.5;
        let cross: f64 = SymmetricEigen::new(product).eigenvalues.iter().map(|v| v.max(0.0).sqrt()).sum();
        let means = (&self.mean - &other.mean).norm_squared();
        (means + self.covariance.trace() + other.covariance.trace() - 2.0 * cross).max(0.0)
    }
}

/// The symmetric square root of a positive semi-definite matrix; negative eigenvalues, which rounding makes, count as
/// zero.
fn square_root(matrix: &DMatrix<f64>) -> DMatrix<f64> {
    let mut eigen = SymmetricEigen::new(matrix.clone());
    eigen.eigenvalues.apply(|v| *v = v.max(0.0).sqrt());
    eigen.recompose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments_of<const N: usize>(mean: [f64; N], covariance: [[f64; N]; N]) -> Moments {
        Moments {
            mean: DVector::from_row_slice(&mean),
            covariance: DMatrix::from_fn(N, N, |row, column| covariance[row][column]),
        }
    }

    #[test]
    fn known_distances() {
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-10, "{a} instead of {b}");
        // In one dimension (μ₁ − μ₂)² + (σ₁ − σ₂)².
        close(moments_of([1.0], [[4.0]]).distance(&moments_of([4.0], [[0.25]])), 9.0 + 2.25);
        // Covariances that commute: Σ(√λ₁ − √λ₂)² over the eigenvalues.
        let a = moments_of([0.0, 0.0], [[2.5, 1.5], [1.5, 2.5]]);
        let b = moments_of([1.0, -1.0], [[5.0, 4.0], [4.0, 5.0]]);
        close(a.distance(&b), 2.0 + 1.0);
        // Covariances that do not: 2×2 matrices with tr √M = √(tr M + 2√det M), M = Σ₁Σ₂.
        let a = moments_of([0.0, 0.0], [[2.0, 0.0], [0.0, 1.0]]);
        let b = moments_of([0.0, 0.0], [[1.0, 0.5], [0.5, 3.0]]);
        let (trace, determinant) = (2.0 + 3.0, 2.0 * 2.75f64);
        close(a.distance(&b), 3.0 + 4.0 - 2.0 * (trace + 2.0 * determinant.sqrt()).sqrt());
        close(a.distance(&b), b.distance(&a));
        close(a.distance(&a), 0.0);
        // A covariance without full rank.
        let flat = moments_of([0.0, 0.0], [[1.0, 1.0], [1.0, 1.0]]);
        assert!(flat.distance(&flat) < 1e-7);
    }

    #[test]
    fn moments() {
        let vectors = [0.0, 1.0, 2.0, 5.0, 4.0, 3.0];
        let g = Moments::of(&vectors, 2, 0..3);
        assert_eq!((g.mean[0], g.mean[1]), (2.0, 3.0));
        let expected = [4.0, 2.0, 2.0, 4.0];
        assert!(g.covariance.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12));
        let twice = Moments::of(&vectors, 2, [1, 1].into_iter());
        assert_eq!((twice.mean[0], twice.covariance.norm()), (2.0, 0.0));
    }
}
