//! What moments of few vectors do to the gradient of a Fréchet distance, and how it is taken out.
use nalgebra::{DMatrix, DVector};

/// About how many vectors a mean and a covariance are of, and how fast older batches fade at least: with larger
/// batches they are of more.
const REMEMBERED: [(f64, f64); 2] = [(256.0, 0.5), (640.0, 0.8)];
/// A correction is at most by this factor: it is of second order, and of fewer vectors than directions worthless.
const MOST: f64 = 2.0;

/// How much a vector, and chance, weigh in moments that fade batch by batch.
#[derive(Clone, Copy, Debug)]
pub struct Few {
    /// How fast older batches fade from the mean and from the covariance.
    pub decays: [f64; 2],
    /// The part of a vector of the last batch in the mean.
    pub own_mean: f64,
    /// Its part in the covariance.
    own: f64,
    /// One over the number of vectors that vary as much as the covariance does.
    chance: f64,
    /// The part of the data's covariance in the one that is compared.
    prior: f64,
}

impl Few {
    /// For batches of `count` vectors along so many `directions`.
    pub fn new(count: usize, directions: usize) -> Self {
        let (count, directions) = (count as f64, directions as f64);
        let decays = REMEMBERED.map(|(vectors, least)| (1.0 - count / vectors).max(least));
        let [of_mean, of_covariance] = decays;
        let chance = (1.0 - of_covariance) / (1.0 + of_covariance) / count;
        // As many vectors of the data's as there are directions, beside the samples: a prior, without which the
        // covariance of few vectors has directions without variance.
        let prior = directions * chance / (1.0 + directions * chance);
        let own = (1.0 - of_covariance) / count;
        Self {
            decays,
            own_mean: (1.0 - of_mean) / count,
            own: own * (1.0 - prior),
            chance: chance * (1.0 - prior),
            prior,
        }
    }

    /// A covariance drawn towards that of the data, whose standard deviations are `deviations` and which has no other
    /// entries.
    pub fn shrunk(&self, covariance: &DMatrix<f64>, deviations: &DVector<f64>) -> DMatrix<f64> {
        covariance * (1.0 - self.prior) + DMatrix::from_diagonal(&deviations.map(|d| self.prior * d * d))
    }

    /// Corrects the eigenvalues 1/s of M^−½, M = Σ'^½ΣΣ'^½, to second order in what chance adds to M, for normal
    /// vectors. A vector z of the batch is itself in M, which makes M^−½ too small along it,
    ///
    /// ```text
    /// E[M^−½ z] ≈ (1 − own·Σ_k (1 + 2δ)·t/(s + t))·z/s,      s = √λ_i, t = √λ_k, δ = 1 where k = i,
    /// ```
    ///
    /// and M^−½ is convex, so that what chance adds makes it too large:
    ///
    /// ```text
    /// E[M^−½] ≈ (1 + chance·Σ_k (1 + δ)·t·(2s + t)/(2(s + t)²))/s.
    /// ```
    pub fn correct(&self, inverse_roots: &mut DVector<f64>) {
        let roots: Vec<f64> = inverse_roots.iter().map(|v| 1.0 / v).collect();
        for (i, (inverse, s)) in inverse_roots.iter_mut().zip(&roots).enumerate() {
            let terms = roots.iter().enumerate().map(|(k, t)| {
                let same = f64::from(u8::from(k == i));
                let in_it = self.own * (1.0 + 2.0 * same) * t / (s + t);
                in_it - self.chance * (1.0 + same) * t * (2.0 * s + t) / (2.0 * (s + t).powi(2))
            });
            *inverse *= (1.0 + terms.sum::<f64>()).clamp(1.0 / MOST, MOST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::moments::{Memory, Running, Target};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const LEN: usize = 24;

    /// Normal vectors whose values vary the less the later they come.
    fn draw(count: usize, rng: &mut ChaCha8Rng) -> Vec<f64> {
        let deviation = |i: usize| 1.0 / (1 + i % LEN) as f64;
        (0..count * LEN).map(|i| deviation(i) * rng.sample::<f64, _>(rand_distr::StandardNormal)).collect()
    }

    /// How far the gradients of samples that are like the data pull each value, to or from the mean, over its variance:
    /// of batches of 64 vectors.
    fn pull(memory: Memory) -> Vec<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let target = Target::new(&draw(20_000, &mut rng), LEN);
        let (mut running, mut pulls, mut squares) = (Running::default(), [0.0; LEN], [0.0; LEN]);
        for batch in 0..600 {
            let vectors = draw(64, &mut rng);
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

    /// Fewer vectors than directions have directions without variance, across which the gradient stays small.
    #[test]
    fn fewer_vectors_than_directions_have_small_gradients() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let target = Target::new(&draw(2_000, &mut rng), LEN);
        let mut running = Running::default();
        for _ in 0..100 {
            let vectors = draw(3, &mut rng);
            let (value, gradient) = running.distance(&vectors, &target, Memory::Short);
            let norm = |x: &[f64]| x.iter().map(|v| v * v).sum::<f64>().sqrt();
            assert!(value.is_finite() && norm(&gradient) < 2.0 * norm(&vectors), "{value} {}", norm(&gradient));
        }
    }
}
