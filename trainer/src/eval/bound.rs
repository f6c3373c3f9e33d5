//! The variational bound on −log p(x0) (Ho et al. 2020, equation 5, with σ² = β): L_T + Σ_{t>1} L_{t−1} + L_0, estimated on test
//! digits.
use super::decoder::{self, Bayes};
use super::evaluator::Evaluator;
use crate::data::{digits, Dataset};
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
/// Training images that the Bayes decoder is fitted on, at each timestep.
const FIT_IMAGES: usize = 32;
/// The Bayes decoder starts from a smaller timestep than this, a power of two.
const LAST_STEP: usize = 65;

/// The bound and its terms in bits a pixel, for 8-bit gray levels and images whose class is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Bound {
    /// L_T: how far x_T is from pure noise.
    pub prior: f64,
    /// Σ L_{t−1} over t = 2..=T.
    pub steps: f64,
    /// L_0: the gray levels from x_1, by a normal distribution around x̂0 of variance β_1.
    pub reconstruction: f64,
    /// The sum.
    pub total: f64,
    /// Standard error of the sum, from the images and the noise that were drawn.
    pub standard_error: f64,
    /// The bound of a shorter chain, with Bayes' rule as its last step.
    pub bayes: BayesBound,
    /// L_{t−1} for t = 2..=T.
    pub per_timestep: Vec<f64>,
    /// Mean squared error of ε̂ (from the clipped x̂0) for t = 1..=T.
    pub squared_error: Vec<f64>,
}

/// The bound of the chain that ends at x_t for a small t, from where a last step weighs the gray levels by how frequent they are in the
/// training images ([`Bayes`]): L_T + Σ_{s>t} L_{s−1} + L_0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct BayesBound {
    /// The timestep t that the last step starts from, chosen on training images.
    pub timestep: usize,
    /// Σ L_{s−1} over s = t + 1..=T.
    pub steps: f64,
    /// Standard deviation s of x̂0 around x0, in [-1, 1], fitted on training images.
    pub deviation: f64,
    /// L_0: the gray levels from x_t.
    pub reconstruction: f64,
    /// The sum.
    pub total: f64,
    /// Standard error of the sum.
    pub standard_error: f64,
}

/// L_T of one value in nats: the divergence of N(√ᾱ_T·x0, 1 − ᾱ_T) from N(0, 1), for a squared value or its mean.
fn prior(alpha_bar: f64, squared_x0: f64) -> f64 {
    0.5 * (alpha_bar * squared_x0 - alpha_bar - (1.0 - alpha_bar).ln())
}

/// L_{t−1} of one value in nats, t > 1: the divergence of q(x_{t−1} | x_t, x0) (variance β̃_t) from p(x_{t−1} | x_t) (variance β_t);
/// `squared_error` is that of x̂0. With ε − ε̂ = √(ᾱ/(1 − ᾱ))·(x̂0 − x0) and ᾱ_t/α_t = ᾱ_{t−1}, β_t/(2α_t(1 − ᾱ_t))·(ε − ε̂)² is
/// written without a division by ᾱ_T, which may be 0.
fn step(alpha_bar: f64, alpha_bar_before: f64, squared_error: f64) -> f64 {
    let beta = 1.0 - alpha_bar / alpha_bar_before;
    let ratio = (1.0 - alpha_bar_before) / (1.0 - alpha_bar);
    0.5 * (ratio - 1.0 - ratio.ln()) + beta * alpha_bar_before / (2.0 * (1.0 - alpha_bar).powi(2)) * squared_error
}

/// The data and the chain that a bound is measured on.
struct Setting<'a> {
    alpha_bars: &'a [f64],
    images: &'a [f32],
    labels: Option<&'a [u8]>,
    /// Values of an image.
    len: usize,
    /// The data are gray levels, x̂0 is clipped to [-1, 1], and this is the other last step. Otherwise they are real numbers, and L_0 is
    /// that of a density.
    bayes: Option<&'a Bayes>,
    /// Images of timestep 1.
    last_images: usize,
    seed: u64,
}

/// Sums of one timestep.
#[derive(Clone, Copy, Default)]
struct Sum {
    count: f64,
    nats: f64,
    squared_nats: f64,
    squared_error: f64,
}

impl Sum {
    /// Takes in an image.
    fn add(&mut self, nats: f64, squared_error: f64) {
        self.count += 1.0;
        self.nats += nats;
        self.squared_nats += nats * nats;
        self.squared_error += squared_error;
    }

    fn mean(&self) -> f64 {
        self.nats / self.count
    }

    /// Variance of the mean.
    fn variance(&self) -> f64 {
        (self.squared_nats / self.count - self.mean().powi(2)).max(0.0) / (self.count - 1.0).max(1.0)
    }
}

/// Appends x_t = √ᾱ·x0 + √(1 − ᾱ)·ε of an image to `x`, and ε to `noise`.
fn add_noise(image: &[f32], alpha_bar: f64, rng: &mut ChaCha8Rng, x: &mut Vec<f32>, noise: &mut Vec<f32>) {
    let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    for x0 in image {
        let epsilon: f32 = rng.sample(StandardNormal);
        x.push((alpha * f64::from(*x0) + sigma * f64::from(epsilon)) as f32);
        noise.push(epsilon);
    }
}

impl Setting<'_> {
    /// The bound in nats a value. `outputs` gives x̂0 = k_x·x_t + k_F·F its F; `x0_coefficients` gives both factors at ᾱ_t.
    fn measure(
        &self,
        x0_coefficients: impl Fn(f64) -> [f64; 2],
        mut outputs: impl FnMut(&[f32], &[(usize, Option<usize>)]) -> Result<Vec<f32>>,
        mut done: impl FnMut(u64),
    ) -> Result<Bound> {
        let (alpha_bars, len, last) = (self.alpha_bars, self.len, self.alpha_bars.len());
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order: Vec<usize> = (0..self.images.len() / len).collect();
        order.shuffle(&mut rng);
        // Each timestep with the images it is measured on.
        let bayes_timestep = self.bayes.map_or(1, |bayes| bayes.timestep);
        let images = |t: usize| if t == 1 || t == bayes_timestep { self.last_images } else { STEP_IMAGES };
        let timesteps = (1..=last).flat_map(|t| std::iter::repeat_n(t, images(t)));
        let items: Vec<(usize, usize)> = timesteps.zip(order.into_iter().cycle()).collect();
        let mut sums = vec![Sum::default(); last];
        let mut bayes_sum = Sum::default();
        for items in items.chunks(BATCH) {
            let mut x = Vec::new();
            let mut noise = Vec::new();
            for (t, image) in items {
                let image = &self.images[image * len..(image + 1) * len];
                add_noise(image, alpha_bars[t - 1], &mut rng, &mut x, &mut noise);
            }
            let class = |image: usize| self.labels.map(|labels| usize::from(labels[image]));
            let conditions: Vec<_> = items.iter().map(|(t, image)| (*t, class(*image))).collect();
            let output = outputs(&x, &conditions)?;
            for (i, (t, image)) in items.iter().enumerate() {
                let alpha_bar = alpha_bars[t - 1];
                let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
                let [k_x, k_f] = x0_coefficients(alpha_bar);
                let (mut nats, mut bayes_nats, mut squared_error, mut squared_x0_error) = (0.0, 0.0, 0.0, 0.0);
                for k in 0..len {
                    let (x, f) = (f64::from(x[i * len + k]), f64::from(output[i * len + k]));
                    let x0 = f64::from(self.images[image * len + k]);
                    let mut x0_hat = k_x * x + k_f * f;
                    if self.bayes.is_some() {
                        x0_hat = x0_hat.clamp(-1.0, 1.0);
                    }
                    let error = f64::from(noise[i * len + k]) - (x - alpha * x0_hat) / sigma;
                    squared_error += error * error;
                    squared_x0_error += (x0 - x0_hat).powi(2);
                    if let Some(bayes) = self.bayes.filter(|bayes| *t == bayes.timestep) {
                        bayes_nats += bayes.nats(x0, x0_hat);
                    }
                    if *t == 1 {
                        // The mean of p(x0 | x_1) is x̂0 itself, its variance β_1 = 1 − ᾱ_1.
                        nats += match self.bayes {
                            Some(_) => decoder::normal(x0, x0_hat, sigma),
                            None => decoder::density(x0, x0_hat, sigma),
                        };
                    }
                }
                let (mut nats, squared_error) = (nats / len as f64, squared_error / len as f64);
                if *t > 1 {
                    nats = step(alpha_bar, alpha_bars[t - 2], squared_x0_error / len as f64);
                }
                sums[t - 1].add(nats, squared_error);
                if *t == bayes_timestep {
                    bayes_sum.add(bayes_nats / len as f64, squared_error);
                }
            }
            done(items.len() as u64);
        }
        let squared_x0 = self.images.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / self.images.len() as f64;
        let prior = prior(alpha_bars[last - 1], squared_x0);
        let per_timestep: Vec<f64> = sums[1..].iter().map(Sum::mean).collect();
        let steps = per_timestep.iter().sum::<f64>();
        let reconstruction = sums[0].mean();
        let variance = sums[1..].iter().map(Sum::variance).sum::<f64>();
        let later = &sums[bayes_timestep..];
        let later_steps = later.iter().map(Sum::mean).sum::<f64>();
        let bayes = BayesBound {
            timestep: bayes_timestep,
            steps: later_steps,
            deviation: self.bayes.map_or(0.0, |bayes| bayes.deviation),
            reconstruction: bayes_sum.mean(),
            total: prior + later_steps + bayes_sum.mean(),
            standard_error: (later.iter().map(Sum::variance).sum::<f64>() + bayes_sum.variance()).sqrt(),
        };
        Ok(Bound {
            prior,
            steps,
            reconstruction,
            total: prior + steps + reconstruction,
            standard_error: (variance + sums[0].variance()).sqrt(),
            bayes,
            per_timestep,
            squared_error: sums.iter().map(|sum| sum.squared_error / sum.count).collect(),
        })
    }
}

/// The last step by Bayes' rule that gives the smallest bound on training images, and the timestep it starts from. `x0_hats` gives x̂0
/// at a timestep for the x of [`FIT_IMAGES`] images.
fn last_step(
    alpha_bars: &[f64],
    train: &Dataset,
    seed: u64,
    x0_hats: impl Fn(usize, &[f32]) -> Result<Vec<f64>>,
) -> Result<Bayes> {
    let images = &train.images[..FIT_IMAGES * train.shape.len()];
    let ln_share = decoder::ln_shares(&train.images);
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let mut best: Option<(f64, Bayes)> = None;
    // Of the timesteps above the present one.
    let mut steps = 0.0;
    for t in (1..alpha_bars.len().min(LAST_STEP)).rev() {
        let (mut x, mut noise) = (Vec::new(), Vec::new());
        add_noise(images, alpha_bars[t - 1], &mut rng, &mut x, &mut noise);
        let x0_hats = x0_hats(t, &x)?;
        if t.is_power_of_two() {
            let (nats, decoder) = Bayes::fit(&ln_share, t, images, &x0_hats);
            if best.as_ref().is_none_or(|(least, _)| steps + nats < *least) {
                best = Some((steps + nats, decoder));
            }
        }
        if t > 1 {
            let squares = images.iter().zip(&x0_hats).map(|(x0, x0_hat)| (f64::from(*x0) - x0_hat).powi(2));
            steps += step(alpha_bars[t - 1], alpha_bars[t - 2], squares.sum::<f64>() / images.len() as f64);
        }
    }
    Ok(best.expect("1 is a power of two").1)
}

/// Measures a network on the test digits; `done` is told how many more evaluations there were, of [`evaluations`]. Two measurements
/// with one seed see the same images and noise.
///
/// # Errors
/// Fewer than two timesteps, or a timestep that the network cannot be evaluated at.
pub fn bound(evaluator: Evaluator, config: &Config, seed: u64, done: impl FnMut(u64)) -> Result<Bound> {
    let alpha_bars = config.alpha_bars();
    if alpha_bars.len() < 2 {
        return Err(Error::Invalid("the bound needs at least two timesteps".into()));
    }
    let labels = |data: &Dataset| data.labels.clone().filter(|_| config.classes > 0);
    let coefficients = |alpha_bar| config.prediction.x0_coefficients(alpha_bar);
    let train = digits::train()?;
    let train_labels = labels(&train);
    let class = |image: usize| train_labels.as_ref().map(|labels| usize::from(labels[image]));
    let bayes = last_step(&alpha_bars, &train, seed, |t, x| {
        let conditions: Vec<_> = (0..FIT_IMAGES).map(|image| (t, class(image))).collect();
        let [k_x, k_f] = coefficients(alpha_bars[t - 1]);
        let x0_hat = |(x, f): (&f32, f32)| (k_x * f64::from(*x) + k_f * f64::from(f)).clamp(-1.0, 1.0);
        Ok(x.iter().zip(evaluator.outputs(x, &conditions)?).map(x0_hat).collect())
    })?;
    let test = digits::test()?;
    let test_labels = labels(&test);
    let setting = Setting {
        alpha_bars: &alpha_bars,
        images: &test.images,
        labels: test_labels.as_deref(),
        len: test.shape.len(),
        bayes: Some(&bayes),
        last_images: LAST_IMAGES,
        seed,
    };
    let nats = setting.measure(coefficients, |x, conditions| evaluator.outputs(x, conditions), done)?;
    Ok(nats.in_bits())
}

impl Bound {
    /// From nats to bits.
    fn in_bits(mut self) -> Self {
        let bits = std::f64::consts::LN_2.recip();
        let bayes = &mut self.bayes;
        let all = [
            &mut self.prior,
            &mut self.steps,
            &mut self.reconstruction,
            &mut self.total,
            &mut self.standard_error,
            &mut bayes.steps,
            &mut bayes.reconstruction,
            &mut bayes.total,
            &mut bayes.standard_error,
        ];
        all.into_iter().chain(&mut self.per_timestep).for_each(|nats| *nats *= bits);
        self
    }
}

/// Evaluations of the network that [`bound`] takes for `timesteps` timesteps.
pub fn evaluations(timesteps: usize) -> u64 {
    (2 * LAST_IMAGES + timesteps.saturating_sub(2) * STEP_IMAGES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian::schedule::{rescale_to_zero_terminal_snr, Schedule};

    /// The entropy of N(0, 1): ½·ln(2πe).
    const ENTROPY: f64 = 1.418_938_533_2;

    /// Data N(0, 1), exact ε̂ = √(1 − ᾱ)·x_t and x̂0 = √ᾱ·x_t (squared error 1 − ᾱ), σ² = β and a decoder of variance β_1: every step of the reverse
    /// chain is exact, so the bound is the data's entropy ½·ln(2πe).
    #[test]
    fn normal_data_cost_their_entropy() {
        for (schedule, timesteps, zero_terminal_snr) in
            [(Schedule::LINEAR, 1000, false), (Schedule::COSINE, 200, false), (Schedule::SIGMOID, 400, true)]
        {
            let mut alpha_bars = vec![0.0; timesteps];
            schedule.alpha_bars(&mut alpha_bars);
            if zero_terminal_snr {
                rescale_to_zero_terminal_snr(&mut alpha_bars);
            }
            let steps: f64 = (1..timesteps).map(|i| step(alpha_bars[i], alpha_bars[i - 1], 1.0 - alpha_bars[i])).sum();
            // L_0 with a density: ½·ln(2πβ_1) + E(x0 − μ_1)²/(2β_1), where E(x0 − μ_1)² = β_1²/(α_1(1 − ᾱ_1))·ᾱ_1.
            let beta = 1.0 - alpha_bars[0];
            let squared = beta * beta / (alpha_bars[0] * (1.0 - alpha_bars[0])) * alpha_bars[0];
            let decoder = 0.5 * (2.0 * std::f64::consts::PI * beta).ln() + squared / (2.0 * beta);
            let total = prior(alpha_bars[timesteps - 1], 1.0) + steps + decoder;
            assert!((total - ENTROPY).abs() < 1e-9, "{total}");
        }
    }

    /// The same by the code that measures networks: on drawn data, with every prediction.
    #[test]
    fn a_measured_bound_of_normal_data_is_their_entropy() {
        use crate::train::Prediction;
        let mut alpha_bars = vec![0.0; 1000];
        Schedule::LINEAR.alpha_bars(&mut alpha_bars);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let images: Vec<f32> = (0..200 * 1024).map(|_| rng.sample(StandardNormal)).collect();
        let setting = Setting {
            alpha_bars: &alpha_bars,
            images: &images,
            labels: None,
            len: 1024,
            bayes: None,
            last_images: 200,
            seed: 5,
        };
        for prediction in [Prediction::Epsilon, Prediction::V, Prediction::X0] {
            let exact = |x: &[f32], conditions: &[(usize, Option<usize>)]| {
                let value = |(i, x): (usize, &f32)| {
                    // ε̂ = σ·x and x̂0 = α·x, of which F is made.
                    let alpha_bar = alpha_bars[conditions[i / 1024].0 - 1];
                    let [a, b] = prediction.target_coefficients(alpha_bar);
                    ((a * alpha_bar.sqrt() + b * (1.0 - alpha_bar).sqrt()) * f64::from(*x)) as f32
                };
                Ok(x.iter().enumerate().map(value).collect())
            };
            let found = setting.measure(|alpha_bar| prediction.x0_coefficients(alpha_bar), exact, |_| ()).unwrap();
            assert!(found.standard_error < 0.01 && found.standard_error > 1e-4, "{}", found.standard_error);
            assert!((found.total - ENTROPY).abs() < 3.0 * found.standard_error, "{prediction:?}: {}", found.total);
            let error =
                found.squared_error.iter().zip(&alpha_bars).map(|(found, expected)| found / expected).sum::<f64>();
            assert!((error / 1000.0 - 1.0).abs() < 0.01, "the squared error of ε̂ is ᾱ: {error}");
        }
    }
}
