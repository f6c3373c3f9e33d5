//! The variational bound on −log p(x0) (Ho et al. 2020, equation 5, with σ² = β): L_T + Σ_{t>1} L_{t−1} + L_0,
//! estimated on test images.
use super::decoder::{shares, Bayes};
use super::denoiser::Denoiser;
use super::subject::Subject;
use crate::data::{Dataset, Labels};
use crate::process::{Gaussian, Mix, Process};
use crate::run::Config;
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

/// The bound and its terms in bits a value, for values of 8 bits and images whose classes are known.
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
    /// The bound of a shorter chain, with Bayes' rule as its last step, of gray levels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bayes: Option<BayesBound>,
    /// L_{t−1} for t = 2..=T.
    pub per_timestep: Vec<f64>,
    /// Mean squared error of ε̂ (from the clipped x̂0) for t = 1..=T.
    pub squared_error: Vec<f64>,
}

/// The bound of the chain that ends at x_t for a small t, from where a last step weighs the gray levels by how frequent
/// they are in the training images ([`Bayes`]): L_T + Σ_{s>t} L_{s−1} + L_0.
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

/// The data and the chain that a bound is measured on.
struct Setting<'a> {
    process: &'a Gaussian,
    images: &'a [f32],
    labels: Option<&'a Labels>,
    /// Values of an image.
    len: usize,
    /// The data are gray levels, x̂0 is clipped to [-1, 1], and this is the other last step. Otherwise they are real
    /// numbers, and L_0 is that of a density.
    bayes: Option<&'a Bayes>,
    /// Images of timestep 1, and of each other one.
    last_images: usize,
    step_images: usize,
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

/// Appends x_t of an image to `x`, and its ε to `noise`.
fn add_noise(noised: Mix<f64>, image: &[f32], rng: &mut ChaCha8Rng, x: &mut Vec<f32>, noise: &mut Vec<f32>) {
    for x0 in image {
        let epsilon: f32 = rng.sample(StandardNormal);
        x.push(noised.of(f64::from(*x0), f64::from(epsilon)) as f32);
        noise.push(epsilon);
    }
}

impl Setting<'_> {
    /// The bound in nats a value. `outputs` gives the network's F for states, each with its timestep and classes.
    fn measure(
        &self,
        mut outputs: impl FnMut(&[f32], &[(usize, &[u8])]) -> Result<Vec<f32>>,
        mut done: impl FnMut(u64),
    ) -> Result<Bound> {
        let (process, len, last) = (self.process, self.len, self.process.timesteps());
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut order: Vec<usize> = (0..self.images.len() / len).collect();
        order.shuffle(&mut rng);
        // Each timestep with the images it is measured on.
        let bayes_timestep = self.bayes.map_or(1, |bayes| bayes.timestep);
        let images = |t: usize| if t == 1 || t == bayes_timestep { self.last_images } else { self.step_images };
        let timesteps = (1..=last).flat_map(|t| std::iter::repeat_n(t, images(t)));
        let items: Vec<(usize, usize)> = timesteps.zip(order.into_iter().cycle()).collect();
        let mut sums = vec![Sum::default(); last];
        let mut bayes_sum = Sum::default();
        for items in items.chunks(BATCH) {
            let mut x = Vec::new();
            let mut noise = Vec::new();
            for (t, image) in items {
                let image = &self.images[image * len..(image + 1) * len];
                add_noise(process.x_t(*t), image, &mut rng, &mut x, &mut noise);
            }
            let classes = |image: usize| self.labels.map_or(&[][..], |labels| labels.of(image));
            let conditions: Vec<_> = items.iter().map(|(t, image)| (*t, classes(*image))).collect();
            let output = outputs(&x, &conditions)?;
            for (i, (t, image)) in items.iter().enumerate() {
                let estimate = process.x0_hat(*t);
                let (mut nats, mut bayes_nats, mut squared_error, mut squared_x0_error) = (0.0, 0.0, 0.0, 0.0);
                for k in 0..len {
                    let (x, f) = (f64::from(x[i * len + k]), f64::from(output[i * len + k]));
                    let x0 = f64::from(self.images[image * len + k]);
                    let mut x0_hat = estimate.of(x, f);
                    if self.bayes.is_some() {
                        x0_hat = x0_hat.clamp(-1.0, 1.0);
                    }
                    let error = f64::from(noise[i * len + k]) - process.epsilon_of(*t, x, x0_hat);
                    squared_error += error * error;
                    squared_x0_error += (x0 - x0_hat).powi(2);
                    if let Some(bayes) = self.bayes.filter(|bayes| *t == bayes.timestep) {
                        bayes_nats += bayes.nats(x0, x0_hat);
                    }
                    if *t == 1 {
                        nats += match self.bayes {
                            Some(_) => process.reconstruction(x0, x0_hat),
                            None => process.reconstruction_density(x0, x0_hat),
                        };
                    }
                }
                let (mut nats, squared_error) = (nats / len as f64, squared_error / len as f64);
                if *t > 1 {
                    nats = process.step_divergence(*t, squared_x0_error / len as f64);
                }
                sums[t - 1].add(nats, squared_error);
                if *t == bayes_timestep {
                    bayes_sum.add(bayes_nats / len as f64, squared_error);
                }
            }
            done(items.len() as u64);
        }
        let squared_x0 = self.images.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / self.images.len() as f64;
        let prior = process.prior(squared_x0);
        let per_timestep: Vec<f64> = sums[1..].iter().map(Sum::mean).collect();
        let steps = per_timestep.iter().sum::<f64>();
        let reconstruction = sums[0].mean();
        let variance = sums[1..].iter().map(Sum::variance).sum::<f64>();
        let later = &sums[bayes_timestep..];
        let later_steps = later.iter().map(Sum::mean).sum::<f64>();
        let bayes = self.bayes.map(|bayes| BayesBound {
            timestep: bayes_timestep,
            steps: later_steps,
            deviation: bayes.deviation,
            reconstruction: bayes_sum.mean(),
            total: prior + later_steps + bayes_sum.mean(),
            standard_error: (later.iter().map(Sum::variance).sum::<f64>() + bayes_sum.variance()).sqrt(),
        });
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

/// The last step by Bayes' rule that gives the smallest bound on training images, and the timestep it starts from.
/// `x0_hats` gives x̂0 at a timestep for the x of [`FIT_IMAGES`] images.
fn last_step(
    process: &Gaussian,
    train: &Dataset,
    seed: u64,
    x0_hats: impl Fn(usize, &[f32]) -> Result<Vec<f64>>,
) -> Result<Bayes> {
    let all = train.images.to_vec();
    let (images, share) = (&all[..FIT_IMAGES.min(train.len()) * train.shape.len()], shares(&all));
    let mut rng = ChaCha8Rng::seed_from_u64(!seed);
    let mut best: Option<(f64, Bayes)> = None;
    // Of the timesteps above the present one.
    let mut steps = 0.0;
    for t in (1..process.timesteps().min(LAST_STEP)).rev() {
        let (mut x, mut noise) = (Vec::new(), Vec::new());
        add_noise(process.x_t(t), images, &mut rng, &mut x, &mut noise);
        let x0_hats = x0_hats(t, &x)?;
        if t.is_power_of_two() {
            let (nats, decoder) = Bayes::fit(&share, t, images, &x0_hats);
            if best.as_ref().is_none_or(|(least, _)| steps + nats < *least) {
                best = Some((steps + nats, decoder));
            }
        }
        if t > 1 {
            let squares = images.iter().zip(&x0_hats).map(|(x0, x0_hat)| (f64::from(*x0) - x0_hat).powi(2));
            steps += process.step_divergence(t, squares.sum::<f64>() / images.len() as f64);
        }
    }
    Ok(best.expect("1 is a power of two").1)
}

/// Measures a network on the test images of its data; `done` is told how many more evaluations there were, of [`evaluations`]. Two
/// measurements with one seed see the same images and noise.
///
/// # Errors
/// Fewer than two timesteps, or a timestep that the network cannot be evaluated at.
pub fn bound(
    denoiser: &Denoiser,
    config: &Config,
    Subject { train, test, .. }: &Subject,
    seed: u64,
    done: impl FnMut(u64),
) -> Result<Bound> {
    let Process::Gaussian(process) = config.process() else {
        return Err(Error::Invalid("this bound is of the Gaussian process".into()));
    };
    if process.timesteps() < 2 {
        return Err(Error::Invalid("the bound needs at least two timesteps".into()));
    }
    let known = |labels: &&Labels| labels.axes == config.axes;
    let train_labels = train.labels.as_ref().filter(known);
    let classes = |image: usize| train_labels.map_or(&[][..], |labels| labels.of(image));
    let bayes = last_step(&process, train, seed, |t, x| {
        let conditions: Vec<_> = (0..FIT_IMAGES.min(train.len())).map(|image| (t, classes(image))).collect();
        let estimate = process.x0_hat(t);
        let x0_hat = |(x, f): (&f32, f32)| estimate.of(f64::from(*x), f64::from(f)).clamp(-1.0, 1.0);
        Ok(x.iter().zip(denoiser.outputs(x, &conditions)?).map(x0_hat).collect())
    })?;
    let setting = Setting {
        process: &process,
        images: &test.images.to_vec(),
        labels: test.labels.as_ref().filter(known),
        len: test.shape.len(),
        bayes: Some(&bayes),
        last_images: LAST_IMAGES,
        step_images: STEP_IMAGES,
        seed,
    };
    let nats = setting.measure(|x, conditions| denoiser.outputs(x, conditions), done)?;
    Ok(nats.in_bits())
}

/// Vectors of each timestep, and of timestep 1, where the data are vectors of real numbers.
const VECTORS: [usize; 2] = [2000, 5000];

/// Measures a network on test data that are vectors of real numbers: the bound on a density, in bits a value, of x̂0 as it
/// is.
///
/// # Errors
/// As [`bound`].
pub fn density_bound(denoiser: &Denoiser, config: &Config, test: &Dataset, seed: u64) -> Result<Bound> {
    let Process::Gaussian(process) = config.process() else {
        return Err(Error::Invalid("this bound is of the Gaussian process".into()));
    };
    let [step_images, last_images] = VECTORS;
    let images = test.images.to_vec();
    let setting = Setting {
        process: &process,
        images: &images,
        labels: None,
        len: test.shape.len(),
        bayes: None,
        last_images,
        step_images,
        seed,
    };
    Ok(setting.measure(|x, conditions| denoiser.outputs(x, conditions), |_| ())?.in_bits())
}

impl Bound {
    /// From nats to bits.
    fn in_bits(mut self) -> Self {
        let bits = std::f64::consts::LN_2.recip();
        let all =
            [&mut self.prior, &mut self.steps, &mut self.reconstruction, &mut self.total, &mut self.standard_error];
        all.into_iter().chain(&mut self.per_timestep).for_each(|nats| *nats *= bits);
        if let Some(BayesBound { steps, reconstruction, total, standard_error, .. }) = &mut self.bayes {
            [steps, reconstruction, total, standard_error].into_iter().for_each(|nats| *nats *= bits);
        }
        self
    }
}

/// Sounds of each timestep, and of timestep 1.
const SOUNDS: [usize; 2] = [4, 300];
/// Steps of a sample of 16 bits from 0 to full scale.
const SAMPLE_STEPS: f64 = 32_767.0;

/// Measures a network on test data that are sounds, as [`bound`] does on images: in bits a sample, for samples of 16 bits.
/// These are so fine beside the noise of the last step that their probability is a density times their distance.
///
/// # Errors
/// As [`bound`].
pub fn sound_bound(
    denoiser: &Denoiser,
    config: &Config,
    test: &Dataset,
    seed: u64,
    done: impl FnMut(u64),
) -> Result<Bound> {
    let Process::Gaussian(process) = config.process() else {
        return Err(Error::Invalid("this bound is of the Gaussian process".into()));
    };
    if process.timesteps() < 2 {
        return Err(Error::Invalid("the bound needs at least two timesteps".into()));
    }
    let [step_images, last_images] = SOUNDS;
    let setting = Setting {
        process: &process,
        images: &test.images.to_vec(),
        labels: test.labels.as_ref().filter(|labels| labels.axes == config.axes),
        len: test.shape.len(),
        bayes: None,
        last_images,
        step_images,
        seed,
    };
    let found = setting.measure(|x, conditions| denoiser.outputs(x, conditions), done)?.in_bits();
    let bits = SAMPLE_STEPS.log2();
    Ok(Bound { reconstruction: found.reconstruction + bits, total: found.total + bits, ..found })
}

/// Evaluations of the network that [`sound_bound`] takes for `timesteps` timesteps.
pub fn sound_evaluations(timesteps: usize) -> u64 {
    (SOUNDS[1] + timesteps.saturating_sub(1) * SOUNDS[0]) as u64
}

/// Evaluations of the network that [`bound`] takes for `timesteps` timesteps.
pub fn evaluations(timesteps: usize) -> u64 {
    (2 * LAST_IMAGES + timesteps.saturating_sub(2) * STEP_IMAGES) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::{Prediction, Weighting};
    use brownian::plan::schedule::Schedule;

    /// The entropy of N(0, 1): ½·ln(2πe).
    const ENTROPY: f64 = 1.418_938_533_2;

    /// Data N(0, 1) and an exact network, of every prediction: the bound is the data's entropy.
    #[test]
    fn a_measured_bound_of_normal_data_is_their_entropy() {
        let mut alpha_bars = vec![0.0; 1000];
        Schedule::LINEAR.alpha_bars(&mut alpha_bars);
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let images: Vec<f32> = (0..200 * 1024).map(|_| rng.sample(StandardNormal)).collect();
        for prediction in [Prediction::Epsilon, Prediction::V, Prediction::X0] {
            let process = Gaussian::new(alpha_bars.clone(), prediction, Weighting::Simple, 5.0);
            let exact = |x: &[f32], conditions: &[(usize, &[u8])]| {
                let value = |(i, x): (usize, &f32)| {
                    // ε̂ = σ·x and x̂0 = α·x, of which F is made.
                    let t = conditions[i / 1024].0;
                    let Mix([alpha, sigma]) = process.x_t(t);
                    (process.target(t).of(alpha, sigma) * f64::from(*x)) as f32
                };
                Ok(x.iter().enumerate().map(value).collect())
            };
            let setting = Setting {
                process: &process,
                images: &images,
                labels: None,
                len: 1024,
                bayes: None,
                last_images: 200,
                step_images: STEP_IMAGES,
                seed: 5,
            };
            let found = setting.measure(exact, |_| ()).unwrap();
            assert!(found.standard_error < 0.01 && found.standard_error > 1e-4, "{}", found.standard_error);
            assert!((found.total - ENTROPY).abs() < 3.0 * found.standard_error, "{prediction:?}: {}", found.total);
            let error =
                found.squared_error.iter().zip(&alpha_bars).map(|(found, expected)| found / expected).sum::<f64>();
            assert!((error / 1000.0 - 1.0).abs() < 0.01, "the squared error of ε̂ is ᾱ: {error}");
        }
    }
}
