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
