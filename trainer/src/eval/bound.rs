//! The variational bound on −log p(x0) (Ho et al. 2020, equation 5, with σ² = β): L_T + Σ_{t>1} L_{t−1} + L_0, estimated on test
//! digits with the float network.
use super::classifier::IMAGE;
use crate::data::digits;
use crate::network::Network;
use crate::train::Config;
use crate::{Error, Result};
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde::Serialize;

/// Images of each timestep t > 1.
const STEP_IMAGES: usize = 8;
/// Images of timestep 1, whose term is the largest.
const LAST_IMAGES: usize = 1000;
/// Images that the network computes together.
const BATCH: usize = 128;
/// Half the distance between two gray levels.
const HALF_LEVEL: f64 = 1.0 / 255.0;

/// The bound and its terms in bits a pixel, for 8-bit gray levels and images whose class is known.
#[derive(Clone, Debug, Serialize)]
pub struct Bound {
    /// L_T: how far x_T is from pure noise.
    pub prior: f64,
    /// Σ L_{t−1} over t = 2..=T.
    pub steps: f64,
    /// L_0: the gray levels from x_1.
    pub reconstruction: f64,
    /// The sum.
    pub total: f64,
    /// L_{t−1} for t = 2..=T.
    pub per_timestep: Vec<f64>,
}

/// L_T of one value in nats: the divergence of N(√ᾱ_T·x0, 1 − ᾱ_T) from N(0, 1), for a squared value or its mean.
fn prior(alpha_bar: f64, squared_x0: f64) -> f64 {
    0.5 * (alpha_bar * squared_x0 - alpha_bar - (1.0 - alpha_bar).ln())
}

/// L_{t−1} of one value in nats, t > 1: the divergence of q(x_{t−1} | x_t, x0) (variance β̃_t) from p(x_{t−1} | x_t) (variance β_t);
/// `squared_error` is that of ε̂.
fn step(alpha_bar: f64, alpha_bar_before: f64, squared_error: f64) -> f64 {
    let alpha = alpha_bar / alpha_bar_before;
    let beta = 1.0 - alpha;
    let ratio = (1.0 - alpha_bar_before) / (1.0 - alpha_bar);
    0.5 * (ratio - 1.0 - ratio.ln()) + beta / (2.0 * alpha * (1.0 - alpha_bar)) * squared_error
}

/// −ln of the probability that a normal value of this mean and standard deviation rounds to the gray level `x0`; the two
/// outermost levels take the tails (equation 13).
fn gray_level(x0: f64, mean: f64, deviation: f64) -> f64 {
    // Both may change sign, since the levels are symmetric; the upper tail keeps its digits.
    let (x0, mean) = if x0 < mean { (-x0, -mean) } else { (x0, mean) };
    let above = |edge: f64| 0.5 * libm::erfc((edge - mean) / (deviation * std::f64::consts::SQRT_2));
    let from = if x0 - HALF_LEVEL <= -1.0 { 1.0 } else { above(x0 - HALF_LEVEL) };
    let to = if x0 + HALF_LEVEL >= 1.0 { 0.0 } else { above(x0 + HALF_LEVEL) };
    // The floor of Ho et al. 2020, without which one stray pixel is infinite.
    -(from - to).max(1e-12).ln()
}

/// Measures a run's network; `done` is told how many more evaluations there were, of [`evaluations`].
///
/// # Errors
/// Fewer than two timesteps.
pub fn bound(network: &Network, config: &Config, seed: u64, mut done: impl FnMut(u64)) -> Result<Bound> {
    let alpha_bars = config.alpha_bars();
    let last = alpha_bars.len();
    if last < 2 {
        return Err(Error::Invalid("the bound needs at least two timesteps".into()));
    }
    let test = digits::test()?;
    let labels = test.labels.as_deref().unwrap_or_default();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut images: Vec<usize> = (0..test.len()).collect();
    images.shuffle(&mut rng);
    let mut images = images.into_iter().cycle();
    // Each timestep with the images it is measured on.
    let timesteps = std::iter::repeat_n(1, LAST_IMAGES).chain((2..=last).flat_map(|t| [t; STEP_IMAGES]));
    let items: Vec<(usize, usize)> = timesteps.zip(&mut images).collect();
    let (mut reconstruction, mut per_timestep) = (0.0, vec![0.0; last - 1]);
    for items in items.chunks(BATCH) {
        let mut columns = Vec::new();
        let (mut x, mut noise) = (Vec::new(), Vec::new());
        for (t, image) in items {
            columns.extend(network.bias(*t, Some(usize::from(labels[*image])))?);
            let (alpha, sigma) = (alpha_bars[t - 1].sqrt(), (1.0 - alpha_bars[t - 1]).sqrt());
            for x0 in test.image(*image) {
                let epsilon: f32 = rng.sample(StandardNormal);
                x.push((alpha * f64::from(*x0) + sigma * f64::from(epsilon)) as f32);
                noise.push(epsilon);
            }
        }
        let output = network.forward(&x, &columns, |_, _| ())?;
        for (i, (t, image)) in items.iter().enumerate() {
            let alpha_bar = alpha_bars[t - 1];
            let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
            let [k_x, k_f] = config.prediction.x0_coefficients(alpha_bar);
            let range = i * IMAGE.len()..(i + 1) * IMAGE.len();
            let values = x[range.clone()].iter().zip(&output[range.clone()]).zip(&noise[range]).zip(test.image(*image));
            for (((x, f), epsilon), x0) in values {
                let x = f64::from(*x);
                let x0_hat = (k_x * x + k_f * f64::from(*f)).clamp(-1.0, 1.0);
                if *t == 1 {
                    // The mean of p(x0 | x_1) is x̂0 itself.
                    reconstruction += gray_level(f64::from(*x0), x0_hat, (1.0 - alpha_bar).sqrt());
                } else {
                    let error = f64::from(*epsilon) - (x - alpha * x0_hat) / sigma;
                    per_timestep[t - 2] += step(alpha_bar, alpha_bars[t - 2], error * error);
                }
            }
        }
        done(items.len() as u64);
    }
    let bits = 1.0 / std::f64::consts::LN_2;
    per_timestep.iter_mut().for_each(|nats| *nats *= bits / (STEP_IMAGES * IMAGE.len()) as f64);
    let squared_x0 = test.images.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / test.images.len() as f64;
    let prior = prior(alpha_bars[last - 1], squared_x0) * bits;
    let reconstruction = reconstruction * bits / (LAST_IMAGES * IMAGE.len()) as f64;
    let steps = per_timestep.iter().sum::<f64>();
    Ok(Bound { prior, steps, reconstruction, total: prior + steps + reconstruction, per_timestep })
}

/// Evaluations of the network that [`bound`] takes for `timesteps` timesteps.
pub fn evaluations(timesteps: usize) -> u64 {
    (LAST_IMAGES + timesteps.saturating_sub(1) * STEP_IMAGES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian::schedule::Schedule;

    /// Data N(0, 1), exact ε̂ = √(1 − ᾱ)·x_t (squared error ᾱ), σ² = β and a decoder of variance β_1: every step of the reverse
    /// chain is exact, so the bound is the data's entropy ½·ln(2πe).
    #[test]
    fn normal_data_cost_their_entropy() {
        for (schedule, timesteps) in [(Schedule::LINEAR, 1000), (Schedule::COSINE, 200)] {
            let mut alpha_bars = vec![0.0; timesteps];
            schedule.alpha_bars(&mut alpha_bars);
            let steps: f64 = (1..timesteps).map(|i| step(alpha_bars[i], alpha_bars[i - 1], alpha_bars[i])).sum();
            // L_0 with a density: ½·ln(2πβ_1) + E(x0 − μ_1)²/(2β_1), where E(x0 − μ_1)² = β_1²/(α_1(1 − ᾱ_1))·ᾱ_1.
            let beta = 1.0 - alpha_bars[0];
            let squared = beta * beta / (alpha_bars[0] * (1.0 - alpha_bars[0])) * alpha_bars[0];
            let decoder = 0.5 * (2.0 * std::f64::consts::PI * beta).ln() + squared / (2.0 * beta);
            let total = prior(alpha_bars[timesteps - 1], 1.0) + steps + decoder;
            assert!((total - 1.418_938_533_2).abs() < 1e-9, "{total}");
        }
    }

    #[test]
    fn gray_levels_are_a_distribution() {
        for (mean, deviation) in [(-1.0, 0.01), (-0.3, 0.01), (0.999, 0.02), (0.2, 0.5)] {
            let level = |i: i32| (-gray_level(f64::from(i) / 127.5 - 1.0, mean, deviation)).exp();
            let sum: f64 = (0..256).map(level).sum();
            assert!((sum - 1.0).abs() < 1e-8, "{mean}, {deviation}: {sum}");
        }
        // Narrow and centred: half a level is 1/255 away.
        let inside = 1.0 - libm::erfc(HALF_LEVEL / 0.01 / std::f64::consts::SQRT_2);
        assert!((gray_level(0.0, 0.0, 0.01) + inside.ln()).abs() < 1e-12);
    }
}
