//! Fréchet distance to fixed data, of moments that follow a changing source of samples, and its gradient.
use super::few::Few;
use nalgebra::{DMatrix, DMatrixView, DVector, SymmetricEigen};

/// Directions in which the data vary less than this part of their largest variance count as directions without
/// variance.
const SMALLEST: f64 = 1e-6;

/// Mean and second moment of vectors, or their covariance.
#[derive(Clone, Debug)]
struct Moments {
    mean: DVector<f64>,
    second: DMatrix<f64>,
}

/// How long batches are remembered.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Memory {
    /// Mean and second moment fade by this factor a batch, from nothing known at the start; the gradient is that of a
    /// batch alone.
    Long(f64),
    /// The mean and the batches' own covariances fade from the data's at the start, as fast as [`Few`] says; the
    /// gradient is without the bias of few vectors.
    Short,
}

/// The moments of the data.
#[derive(Clone, Debug)]
pub struct Target {
    mean: DVector<f64>,
    /// Unit vectors along which the data vary, one a column.
    basis: DMatrix<f64>,
    /// The data's standard deviation along each.
    deviations: DVector<f64>,
}

impl Target {
    /// The moments of `vectors` of `len` values each.
    pub fn new(vectors: &[f64], len: usize) -> Self {
        let x = DMatrixView::from_slice(vectors, len, vectors.len() / len);
        let mean = x.column_mean();
        let covariance = x * x.transpose() / x.ncols() as f64 - &mean * mean.transpose();
        let eigen = SymmetricEigen::new(covariance);
        let largest = eigen.eigenvalues.max();
        let kept: Vec<usize> = (0..len).filter(|i| eigen.eigenvalues[*i] > largest * SMALLEST).collect();
        let basis = eigen.eigenvectors.select_columns(&kept);
        let deviations = DVector::from_iterator(kept.len(), kept.iter().map(|i| eigen.eigenvalues[*i].sqrt()));
        Self { mean, basis, deviations }
    }

    /// Up to `count` unit vectors along which the data vary most, one after the other.
    pub fn principal(&self, count: usize) -> Vec<f64> {
        let mut order: Vec<usize> = (0..self.deviations.len()).collect();
        order.sort_by(|a, b| self.deviations[*b].total_cmp(&self.deviations[*a]));
        order.iter().take(count).flat_map(|i| self.basis.column(*i).iter().copied().collect::<Vec<_>>()).collect()
    }

    /// Number of directions along which the data vary.
    pub fn directions(&self) -> usize {
        self.deviations.len()
    }

    /// Total variance of the data.
    pub fn trace(&self) -> f64 {
        self.deviations.norm_squared()
    }
}

/// Moments of samples, averaged over the last batches, as seen from a target: less its mean, along its basis.
#[derive(Clone, Debug, Default)]
pub struct Running {
    moments: Option<Moments>,
    weight: f64,
}

impl Running {
    /// Its state as mean, second moment and weight, if it has seen a batch.
    pub fn state(&self) -> Option<(&[f64], &[f64], f64)> {
        self.moments.as_ref().map(|m| (m.mean.as_slice(), m.second.as_slice(), self.weight))
    }

    /// What had this [`Self::state`].
    pub fn restore(mean: Vec<f64>, second: Vec<f64>, weight: f64) -> Self {
        let len = mean.len();
        let moments = Moments { mean: DVector::from_vec(mean), second: DMatrix::from_vec(len, len, second) };
        Self { moments: Some(moments), weight }
    }

    /// Takes in a batch and returns the Fréchet distance |μ − μ'|² + tr(Σ + Σ' − 2(Σ'^½ΣΣ'^½)^½) to the target, with
    /// its gradient with respect to each of the batch's vectors as if the moments were those of a batch alone. What lies
    /// across the directions in which the data vary adds its squared length, of this batch alone.
    pub fn distance(&mut self, vectors: &[f64], target: &Target, memory: Memory) -> (f64, Vec<f64>) {
        let len = target.mean.len();
        let count = vectors.len() / len;
        let mut x = DMatrixView::from_slice(vectors, len, count).into_owned();
        x.column_iter_mut().for_each(|mut column| column -= &target.mean);
        let mut y = target.basis.tr_mul(&x);
        let across = x - &target.basis * &y;
        if y.is_empty() {
            let gradient = &across * (2.0 / count as f64);
            return (across.norm_squared() / count as f64, gradient.as_slice().to_vec());
        }
        let (moments, few) = match memory {
            Memory::Long(decay) => (self.long(&y, decay), None),
            Memory::Short => {
                let few = Few::new(count, y.nrows());
                (self.short(&y, target, few.decays), Some(few))
            }
        };
        let covariance = match &few {
            None => &moments.second - &moments.mean * moments.mean.transpose(),
            Some(few) => few.shrunk(&moments.second, &target.deviations),
        };
        let root = |m: &DMatrix<f64>| {
            let d = &target.deviations;
            DMatrix::from_fn(d.len(), d.len(), |i, j| 0.5 * d[i] * (m[(i, j)] + m[(j, i)]) * d[j])
        };
        let mut eigen = SymmetricEigen::new(root(&covariance));
        let cross: f64 = eigen.eigenvalues.iter().map(|v| v.max(0.0).sqrt()).sum();
        let value = moments.mean.norm_squared() + covariance.trace() + target.trace() - 2.0 * cross
            + across.norm_squared() / count as f64;
        // d/dΣ = I − Σ'^½ (Σ'^½ΣΣ'^½)^−½ Σ'^½.
        let floor = eigen.eigenvalues.max() * SMALLEST * SMALLEST;
        eigen.eigenvalues.apply(|v| *v = 1.0 / v.max(floor).max(f64::MIN_POSITIVE).sqrt());
        if let Some(few) = &few {
            few.correct(&mut eigen.eigenvalues);
        }
        let inverse = root(&eigen.recompose());
        let own = few.map_or(0.0, |few| few.own_mean);
        let slope = DMatrix::identity(inverse.nrows(), inverse.ncols()) * (1.0 - own) - inverse;
        y.column_iter_mut().for_each(|mut column| column -= &moments.mean);
        let mut along = slope * y;
        along.column_iter_mut().for_each(|mut column| column += &moments.mean);
        let gradient = (&target.basis * along + across) * (2.0 / count as f64);
        self.moments = Some(moments);
        (value, gradient.as_slice().to_vec())
    }

    /// Mean and second moment with a batch.
    fn long(&mut self, y: &DMatrix<f64>, decay: f64) -> Moments {
        let batch = Moments { mean: y.column_mean(), second: y * y.transpose() / y.ncols() as f64 };
        self.weight = decay * self.weight + 1.0;
        let part = 1.0 / self.weight;
        match self.moments.take() {
            None => batch,
            Some(old) => Moments {
                mean: old.mean * (1.0 - part) + batch.mean * part,
                second: old.second * (1.0 - part) + batch.second * part,
            },
        }
    }

    /// Mean and covariance with a batch, of which there are at least two vectors.
    fn short(&mut self, y: &DMatrix<f64>, target: &Target, [of_mean, of_covariance]: [f64; 2]) -> Moments {
        let old = self.moments.take().unwrap_or_else(|| Moments {
            mean: DVector::zeros(y.nrows()),
            second: DMatrix::from_diagonal(&target.deviations.map(|d| d * d)),
        });
        let mean = y.column_mean();
        let count = y.ncols() as f64;
        let covariance = (y * y.transpose() - &mean * mean.transpose() * count) / (count - 1.0).max(1.0);
        Moments {
            mean: old.mean * of_mean + mean * (1.0 - of_mean),
            second: old.second * of_covariance + covariance * (1.0 - of_covariance),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn draw(count: usize, len: usize, seed: u64, scale: f64) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        (0..count * len).map(|i| scale * rng.random_range(-1.0..1.0f64) + (i % len) as f64 * 0.1).collect()
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let target = Target::new(&draw(200, 4, 1, 1.0), 4);
        let vectors = draw(30, 4, 2, 0.6);
        let value = |vectors: &[f64]| Running::default().distance(vectors, &target, Memory::Long(0.0)).0;
        let (_, gradient) = Running::default().distance(&vectors, &target, Memory::Long(0.0));
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
    fn directions_without_variance_are_no_trouble() {
        let flat: Vec<f64> = draw(50, 3, 4, 1.0).chunks(3).flat_map(|v| [v[0], 0.0, v[1], v[0] - v[1], 2.0]).collect();
        let target = Target::new(&flat, 5);
        assert_eq!(target.deviations.len(), 2);
        let moved: Vec<f64> = flat.chunks(5).flat_map(|v| [v[0], 0.5, v[2], v[3], 2.0]).collect();
        let (value, gradient) = Running::default().distance(&moved, &target, Memory::Long(0.0));
        assert!((value - 0.25).abs() < 1e-9, "{value}");
        assert!(gradient.chunks(5).all(|g| (g[1] - 2.0 * 0.5 / 50.0).abs() < 1e-9 && g[0].abs() < 1e-6));
    }

    #[test]
    fn the_data_themselves_are_at_distance_zero() {
        let data = draw(100, 5, 3, 1.0);
        let target = Target::new(&data, 5);
        let mut running = Running::default();
        for half in [&data[..250], &data[250..]] {
            running.distance(half, &target, Memory::Long(1.0));
        }
        // Two halves without fading have the moments of the whole.
        assert!(running.moments.unwrap().mean.norm() < 1e-12);
        let (value, gradient) = Running::default().distance(&data, &target, Memory::Long(0.0));
        assert!(value.abs() < 1e-9 && gradient.iter().all(|g| g.abs() < 1e-9), "{value}");
    }

    #[test]
    fn data_that_do_not_vary_are_at_the_distance_of_their_mean() {
        let target = Target::new(&[0.5, 2.0].repeat(20), 2);
        assert_eq!(target.deviations.len(), 0);
        let (value, gradient) = Running::default().distance(&[0.5, 3.0, 0.5, 2.0], &target, Memory::Long(0.0));
        let expected = [0.0, 1.0, 0.0, 0.0];
        assert!((value - 0.5).abs() < 1e-9 && gradient.iter().zip(expected).all(|(g, e)| (g - e).abs() < 1e-9));
    }

    const LEN: usize = 24;

    /// Normal vectors whose values vary the less the later they come.
    fn normal(count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let deviation = |i: usize| 1.0 / (1 + i % LEN) as f64;
        (0..count * LEN).map(|i| deviation(i) * rng.sample::<f64, _>(rand_distr::StandardNormal)).collect()
    }

    /// How far the gradients of samples that are like the data pull each value, to or from the mean, over its variance:
    /// of batches of 64 vectors.
    fn pull(memory: Memory) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let target = Target::new(&normal(20_000, &mut rng), LEN);
        let (mut running, mut pulls, mut squares) = (Running::default(), [0.0; LEN], [0.0; LEN]);
        for batch in 0..600 {
            let vectors = normal(64, &mut rng);
            let (_, gradient) = running.distance(&vectors, &target, memory);
            if batch >= 100 {
                for (i, (v, g)) in vectors.iter().zip(gradient).enumerate() {
                    pulls[i % LEN] += 32.0 * v * g;
                    squares[i % LEN] += v * v;
                }
            }
        }
        pulls.iter().zip(squares).map(|(pull, square)| pull / square).collect()
    }

    #[test]
    fn samples_like_the_data_are_pulled_nowhere() {
        let mean = |pulls: Vec<f64>| pulls.iter().map(|pull| pull.abs()).sum::<f64>() / LEN as f64;
        let short = pull(Memory::Short);
        assert!(short.iter().all(|pull| pull.abs() < 0.02), "{short:?}");
        let (short, long) = (mean(short), mean(pull(Memory::Long(0.5))));
        assert!(short < 0.006 && long > 8.0 * short, "{short} {long}");
    }

    /// Samples that have not varied in half of the directions for long are not thrown along them as soon as they do.
    #[test]
    fn a_new_direction_has_a_small_gradient() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let target = Target::new(&normal(2_000, &mut rng), LEN);
        let mut running = Running::default();
        for _ in 0..3000 {
            let mut vectors = normal(3, &mut rng);
            vectors.iter_mut().step_by(2).for_each(|v| *v = 0.0);
            running.distance(&vectors, &target, Memory::Short);
        }
        let vectors = normal(3, &mut rng);
        let (value, gradient) = running.distance(&vectors, &target, Memory::Short);
        let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
        let length = 1.5 * norm(&gradient) / norm(&vectors);
        assert!(value.is_finite() && length < 10.0, "{value} {length}");
    }
}
