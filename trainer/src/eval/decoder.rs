//! A last step by Bayes' rule: what it says of a gray level, given x̂0 and how frequent the levels are.

/// Gray levels.
const LEVELS: usize = 256;
/// Standard deviations among which [`Bayes::fit`] chooses: the smallest, and the steps of a quarter of an octave above it.
const DEVIATIONS: (f64, usize) = (0.002, 24);

/// The gray level of a value in [-1, 1].
fn level(value: f64) -> usize {
    ((value + 1.0) * 127.5).round() as usize
}

/// The logarithm of each gray level's share in `images`, every level counted once more than it occurs.
pub fn ln_shares(images: &[f32]) -> Vec<f64> {
    let mut counts = [1.0f64; LEVELS];
    images.iter().for_each(|v| counts[level(f64::from(*v))] += 1.0);
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| (count / all).ln()).collect()
}

/// Bayes' rule with the data's gray levels: p(k | x̂0) = h_k·N(v_k; x̂0, s²) / Σ_j h_j·N(v_j; x̂0, s²), where v_k is the value of level k
/// and h_k its share in the training images.
#[derive(Clone, Debug)]
pub struct Bayes {
    /// The timestep that x̂0 belongs to.
    pub timestep: usize,
    /// ln h.
    ln_share: Vec<f64>,
    /// s.
    pub deviation: f64,
}

impl Bayes {
    /// The s that makes the values `x0` most probable given `x0_hat` of `timestep`, for levels of these shares ([`ln_shares`]); with the
    /// mean of −ln p(x0 | x̂0).
    pub fn fit(ln_share: &[f64], timestep: usize, x0: &[f32], x0_hat: &[f64]) -> (f64, Self) {
        let (smallest, count) = DEVIATIONS;
        let deviation = |i: usize| smallest * 2f64.powf(i as f64 / 4.0);
        let candidates = (0..count).map(|i| Self { timestep, ln_share: ln_share.to_vec(), deviation: deviation(i) });
        let cost = |decoder: &Self| -> f64 {
            let nats = x0.iter().zip(x0_hat).map(|(x0, x0_hat)| decoder.nats(f64::from(*x0), *x0_hat));
            nats.sum::<f64>() / x0.len() as f64
        };
        let costs = candidates.map(|decoder| (cost(&decoder), decoder));
        costs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are candidates")
    }

    /// −ln p(x0 | x̂0).
    pub fn nats(&self, x0: f64, x0_hat: f64) -> f64 {
        let scale = -0.5 / (self.deviation * self.deviation);
        let mut logs = [0.0; LEVELS];
        for (k, (log, ln_share)) in logs.iter_mut().zip(&self.ln_share).enumerate() {
            *log = ln_share + scale * (k as f64 / 127.5 - 1.0 - x0_hat).powi(2);
        }
        let largest = logs.iter().copied().fold(f64::MIN, f64::max);
        let sum: f64 = logs.iter().map(|log| (log - largest).exp()).sum();
        sum.ln() + largest - logs[level(x0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_distr::StandardNormal;

    fn sum(nats: impl Fn(f64) -> f64) -> f64 {
        (0..LEVELS).map(|k| (-nats(k as f64 / 127.5 - 1.0)).exp()).sum()
    }

    #[test]
    fn gray_levels_are_a_distribution() {
        let images: Vec<f32> = (0..500).map(|i| if i % 5 == 0 { i as f32 / 255.0 - 1.0 } else { -1.0 }).collect();
        for (mean, deviation) in [(-1.0, 0.01), (-0.3, 0.01), (0.999, 0.02), (0.2, 0.5)] {
            let bayes = Bayes { deviation, ..Bayes::fit(&ln_shares(&images), 1, &[-1.0], &[-1.0]).1 };
            let found = sum(|x0| bayes.nats(x0, mean));
            assert!((found - 1.0).abs() < 1e-8, "{mean}, {deviation}: {found}");
        }
    }

    /// Two levels, three quarters black, seen through noise of a known deviation: the fit finds it, and the mean cost is the entropy of
    /// the level given what was seen, here by integration.
    #[test]
    fn a_fitted_decoder_costs_the_entropy_that_is_left() {
        let (deviation, gray) = (0.1, 20.0 / 127.5 - 1.0);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let x0: Vec<f32> = (0..40_000).map(|i| if i % 4 == 0 { gray as f32 } else { -1.0 }).collect();
        let seen: Vec<f64> =
            x0.iter().map(|v| f64::from(*v) + deviation * rng.sample::<f64, _>(StandardNormal)).collect();
        let (fitted, bayes) = Bayes::fit(&ln_shares(&x0), 1, &x0, &seen);
        assert!((bayes.deviation / deviation).ln().abs() < 0.1, "{}", bayes.deviation);
        let density = |x: f64, mean: f64| (-0.5 * ((x - mean) / deviation).powi(2)).exp() / deviation;
        let (mut entropy, width) = (0.0, 1e-3);
        for x in (-2000..1000).map(|i| f64::from(i) * width) {
            let [black, other] = [0.75 * density(x, -1.0), 0.25 * density(x, gray)];
            let sum = black + other;
            let term = |p: f64| if p > 0.0 { -p * (p / sum).ln() } else { 0.0 };
            entropy += (term(black) + term(other)) * width / (2.0 * std::f64::consts::PI).sqrt();
        }
        let cost = x0.iter().zip(&seen).map(|(x0, seen)| bayes.nats(f64::from(*x0), *seen)).sum::<f64>() / 40_000.0;
        assert!((cost - fitted).abs() < 1e-12);
        // 254 levels that do not occur have a share of 1/40,256 each.
        assert!((cost - entropy).abs() < 0.02, "{cost} against {entropy}");
    }
}
