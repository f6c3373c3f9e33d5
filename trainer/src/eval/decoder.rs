//! A last step by Bayes' rule: what it says of a gray level, given x̂0 and how frequent the levels are.

/// Gray levels.
const LEVELS: usize = 256;
/// Standard deviations among which [`Bayes::fit`] chooses: the smallest, and the steps of a quarter of an octave above
/// it.
const DEVIATIONS: (f64, usize) = (0.002, 24);
/// A density, against that of the level nearest to x̂0, below which farther levels add nothing to a sum: no share is
/// above 1, and none of fewer than 10²⁰ values is below 10⁻²⁰.
const NOTHING: f64 = 1e-40;

/// The gray level of a value in [-1, 1].
fn level(value: f64) -> usize {
    ((value + 1.0) * 127.5).round() as usize
}

/// Each gray level's share in `images`, every level counted once more than it occurs.
pub fn shares(images: &[f32]) -> Vec<f64> {
    let mut counts = [1.0f64; LEVELS];
    images.iter().for_each(|v| counts[level(f64::from(*v))] += 1.0);
    let all: f64 = counts.iter().sum();
    counts.iter().map(|count| count / all).collect()
}

/// Bayes' rule with the data's gray levels: p(k | x̂0) = h_k·N(v_k; x̂0, s²) / Σ_j h_j·N(v_j; x̂0, s²), where v_k is
/// the value of level k and h_k its share in the training images.
#[derive(Clone, Debug)]
pub struct Bayes {
    /// The timestep that x̂0 belongs to.
    pub timestep: usize,
    /// h.
    share: Vec<f64>,
    /// s.
    pub deviation: f64,
}

impl Bayes {
    /// The s that makes the values `x0` most probable given `x0_hat` of `timestep`, for levels of these shares
    /// ([`shares`]); with the mean of −ln p(x0 | x̂0).
    pub fn fit(share: &[f64], timestep: usize, x0: &[f32], x0_hat: &[f64]) -> (f64, Self) {
        let (smallest, count) = DEVIATIONS;
        let deviation = |i: usize| smallest * 2f64.powf(i as f64 / 4.0);
        let candidates = (0..count).map(|i| Self { timestep, share: share.to_vec(), deviation: deviation(i) });
        let cost = |decoder: &Self| -> f64 {
            let nats = x0.iter().zip(x0_hat).map(|(x0, x0_hat)| decoder.nats(f64::from(*x0), *x0_hat));
            nats.sum::<f64>() / x0.len() as f64
        };
        let costs = candidates.map(|decoder| (cost(&decoder), decoder));
        costs.min_by(|a, b| a.0.total_cmp(&b.0)).expect("there are candidates")
    }

    /// −ln p(x0 | x̂0).
    ///
    /// The levels lie d = 2/255 apart, so that from one to the next N(v; x̂0, s²) changes by a factor which itself
    /// changes by e^(−d²/s²): from the level nearest to x̂0 each sum goes outwards by multiplications alone, until a
    /// level adds nothing.
    pub fn nats(&self, x0: f64, x0_hat: f64) -> f64 {
        let scale = -0.5 / (self.deviation * self.deviation);
        let value = |k: usize| k as f64 / 127.5 - 1.0;
        let nearest = level(x0_hat.clamp(-1.0, 1.0));
        let distance = value(nearest) - x0_hat;
        let d = 1.0 / 127.5;
        let change = (2.0 * scale * d * d).exp();
        let factor = |sign: f64| (scale * d * (d + 2.0 * sign * distance)).exp();
        let below = outwards(self.share[..nearest].iter().rev(), factor(-1.0), change);
        let above = outwards(self.share[nearest + 1..].iter(), factor(1.0), change);
        let sum = self.share[nearest] + below + above;
        let wanted = level(x0);
        sum.ln() + scale * distance.powi(2) - (self.share[wanted].ln() + scale * (value(wanted) - x0_hat).powi(2))
    }
}

/// Σ h·N over levels in the order of their distance from the nearest one, whose N counts as 1; `factor` is that from
/// the nearest level to the first, and each further factor is `change` times the one before.
fn outwards<'a>(shares: impl Iterator<Item = &'a f64>, mut factor: f64, change: f64) -> f64 {
    let (mut sum, mut density) = (0.0, 1.0);
    for share in shares {
        density *= factor;
        factor *= change;
        sum += share * density;
        if density < NOTHING {
            break;
        }
    }
    sum
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
            let bayes = Bayes { deviation, ..Bayes::fit(&shares(&images), 1, &[-1.0], &[-1.0]).1 };
            let found = sum(|x0| bayes.nats(x0, mean));
            assert!((found - 1.0).abs() < 1e-8, "{mean}, {deviation}: {found}");
        }
    }

    /// The sums by multiplications are those of the definition, for x̂0 inside and outside of the levels.
    #[test]
    fn nats_are_those_of_the_definition() {
        let images: Vec<f32> =
            (0..3000).map(|i| if i % 3 == 0 { (i % 256) as f32 / 127.5 - 1.0 } else { -1.0 }).collect();
        let share = shares(&images);
        for deviation in [0.002, 0.01, 0.1, 0.5] {
            let bayes = Bayes { timestep: 1, share: share.clone(), deviation };
            for x0_hat in [-1.3, -1.0, -0.9961, -0.2, 0.003, 0.7, 1.0, 1.2] {
                let log = |k: usize| {
                    let difference: f64 = k as f64 / 127.5 - 1.0 - x0_hat;
                    share[k].ln() - 0.5 * (difference / deviation).powi(2)
                };
                let largest = (0..LEVELS).map(log).fold(f64::MIN, f64::max);
                let sum: f64 = (0..LEVELS).map(|k| (log(k) - largest).exp()).sum();
                for k in [0, 1, 100, 128, 255] {
                    let (found, expected) = (bayes.nats(k as f64 / 127.5 - 1.0, x0_hat), largest + sum.ln() - log(k));
                    let error = (found - expected).abs();
                    assert!(error < 1e-11 * expected.abs().max(1.0), "{deviation}, {x0_hat}, {k}: {found}, {expected}");
                }
            }
        }
    }

    /// Two levels, three quarters black, seen through noise of a known deviation: the fit finds it, and the mean cost
    /// is the entropy of the level given what was seen, here by integration.
    #[test]
    fn a_fitted_decoder_costs_the_entropy_that_is_left() {
        let (deviation, gray) = (0.1, 20.0 / 127.5 - 1.0);
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let x0: Vec<f32> = (0..40_000).map(|i| if i % 4 == 0 { gray as f32 } else { -1.0 }).collect();
        let seen: Vec<f64> =
            x0.iter().map(|v| f64::from(*v) + deviation * rng.sample::<f64, _>(StandardNormal)).collect();
        let (fitted, bayes) = Bayes::fit(&shares(&x0), 1, &x0, &seen);
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
