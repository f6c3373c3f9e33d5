//! Fréchet distance to fixed data, of moments that follow a changing source of samples, and its gradient.
use nalgebra::{DMatrix, DMatrixView, DVector, SymmetricEigen};

/// Eigenvalues below this part of the largest count as this part in the gradient, which has their roots' inverses.
const SMALLEST: f64 = 1e-5;

/// Mean and second moment of vectors.
#[derive(Clone, Debug)]
struct Moments {
    mean: DVector<f64>,
    second: DMatrix<f64>,
}

impl Moments {
    fn of(vectors: &[f64], len: usize) -> Self {
        let x = DMatrixView::from_slice(vectors, len, vectors.len() / len);
        Self { mean: x.column_mean(), second: x * x.transpose() / x.ncols() as f64 }
    }

    fn covariance(&self) -> DMatrix<f64> {
        &self.second - &self.mean * self.mean.transpose()
    }
}

/// The moments of the data.
#[derive(Clone, Debug)]
pub struct Target {
    len: usize,
    mean: DVector<f64>,
    root: DMatrix<f64>,
    trace: f64,
}

impl Target {
    /// The moments of `vectors` of `len` values each.
    pub fn new(vectors: &[f64], len: usize) -> Self {
        let moments = Moments::of(vectors, len);
        let covariance = moments.covariance();
        let trace = covariance.trace();
        let mut eigen = SymmetricEigen::new(covariance);
        eigen.eigenvalues.apply(|v| *v = v.max(0.0).sqrt());
        Self { len, mean: moments.mean, root: eigen.recompose(), trace }
    }

    /// Total variance of the data.
    pub fn trace(&self) -> f64 {
        self.trace
    }
}

/// Moments of samples, averaged over the last batches.
#[derive(Clone, Debug, Default)]
pub struct Running {
    moments: Option<Moments>,
    weight: f64,
}

impl Running {
    /// Takes in a batch, older ones fading by `decay`, and returns the Fréchet distance |μ − μ'|² + tr(Σ + Σ' − 2(Σ'^½ΣΣ'^½)^½) to
    /// the target, with its gradient with respect to each of the batch's vectors as if the moments were those of a batch alone.
    pub fn distance(&mut self, vectors: &[f64], target: &Target, decay: f64) -> (f64, Vec<f64>) {
        let batch = Moments::of(vectors, target.len);
        self.weight = decay * self.weight + 1.0;
        let part = 1.0 / self.weight;
        let moments = match self.moments.take() {
            None => batch,
            Some(old) => Moments {
                mean: old.mean * (1.0 - part) + batch.mean * part,
                second: old.second * (1.0 - part) + batch.second * part,
            },
        };
        let covariance = moments.covariance();
        let product = &target.root * &covariance * &target.root;
        let mut eigen = SymmetricEigen::new((&product + product.transpose()) * 0.5);
        let cross: f64 = eigen.eigenvalues.iter().map(|v| v.max(0.0).sqrt()).sum();
        let difference = &moments.mean - &target.mean;
        let value = difference.norm_squared() + covariance.trace() + target.trace - 2.0 * cross;
        // d/dΣ = I − Σ'^½ (Σ'^½ΣΣ'^½)^−½ Σ'^½.
        let floor = eigen.eigenvalues.max() * SMALLEST;
        eigen.eigenvalues.apply(|v| *v = 1.0 / v.max(floor).max(1e-300).sqrt());
        let inverse = &target.root * eigen.recompose() * &target.root;
        let slope = DMatrix::identity(target.len, target.len) - (&inverse + inverse.transpose()) * 0.5;
        let count = vectors.len() / target.len;
        let mut x = DMatrixView::from_slice(vectors, target.len, count).into_owned();
        x.column_iter_mut().for_each(|mut column| column -= &moments.mean);
        let mut gradient = slope * x;
        gradient.column_iter_mut().for_each(|mut column| column += &difference);
        gradient *= 2.0 / count as f64;
        self.moments = Some(moments);
        (value, gradient.as_slice().to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};

    fn draw(count: usize, len: usize, seed: u64, scale: f64) -> Vec<f64> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        (0..count * len).map(|i| scale * rng.random_range(-1.0..1.0f64) + (i % len) as f64 * 0.1).collect()
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let target = Target::new(&draw(200, 4, 1, 1.0), 4);
        let vectors = draw(30, 4, 2, 0.6);
        let value = |vectors: &[f64]| Running::default().distance(vectors, &target, 0.0).0;
        let (_, gradient) = Running::default().distance(&vectors, &target, 0.0);
        for at in [0, 7, 50, 119] {
            let moved = |by: f64| {
                let mut vectors = vectors.clone();
                vectors[at] += by;
                value(&vectors)
            };
            let expected = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            assert!((gradient[at] - expected).abs() < 1e-6 + 1e-4 * expected.abs(), "{} {expected}", gradient[at]);
        }
    }

    #[test]
    fn the_data_themselves_are_at_distance_zero() {
        let data = draw(100, 5, 3, 1.0);
        let target = Target::new(&data, 5);
        let mut running = Running::default();
        for half in [&data[..250], &data[250..]] {
            running.distance(half, &target, 1.0);
        }
        // Two halves without fading have the moments of the whole.
        let moments = running.moments.unwrap();
        assert!((moments.mean - &target.mean).norm() < 1e-12);
        let (value, gradient) = Running::default().distance(&data, &target, 0.0);
        assert!(value.abs() < 1e-9 && gradient.iter().all(|g| g.abs() < 1e-9), "{value}");
    }
}
