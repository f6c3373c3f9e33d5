//! What a run is: everything that decides its result, as stored beside its weights.
use crate::data::augment::Augment;
use crate::graph::{Graph, Shape};
use crate::{
    finetune::{self, FineTuning},
    presets, Error, Result,
};
use brownian::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// A noise schedule by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ScheduleName {
    /// [`Schedule::LINEAR`].
    Linear,
    /// [`Schedule::COSINE`].
    Cosine,
}

impl ScheduleName {
    /// The schedule itself.
    pub fn schedule(self) -> Schedule {
        match self {
            Self::Linear => Schedule::LINEAR,
            Self::Cosine => Schedule::COSINE,
        }
    }
}

/// What the network's output F stands for, with α = √ᾱ and σ = √(1 − ᾱ).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prediction {
    /// F = ε.
    Epsilon,
    /// F = v = α·ε − σ·x0 (Salimans & Ho 2022): ε̂ = σ·x_t + α·F, x̂0 = α·x_t − σ·F.
    V,
    /// F = x0.
    X0,
}

impl From<Prediction> for brownian::plan::Prediction {
    fn from(prediction: Prediction) -> Self {
        match prediction {
            Prediction::Epsilon => Self::Epsilon,
            Prediction::V => Self::V,
            Prediction::X0 => Self::X0,
        }
    }
}

impl Prediction {
    /// ε̂ = `[0]`·x_t + `[1]`·F at ᾱ = `alpha_bar` < 1.
    pub fn epsilon_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        match self {
            Self::Epsilon => [0.0, 1.0],
            Self::V => [sigma, alpha],
            Self::X0 => [1.0 / sigma, -alpha / sigma],
        }
    }

    /// x̂0 = `[0]`·x_t + `[1]`·F at ᾱ = `alpha_bar` > 0, as the plans have it.
    pub fn x0_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        brownian::plan::Prediction::from(self).x0_coefficients(alpha_bar).into()
    }

    /// The target of F = `[0]`·x0 + `[1]`·ε.
    pub fn target_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        match self {
            Self::Epsilon => [0.0, 1.0],
            Self::V => [-(1.0 - alpha_bar).sqrt(), alpha_bar.sqrt()],
            Self::X0 => [1.0, 0.0],
        }
    }
}

/// The weight of a timestep in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1: L_simple on the chosen prediction.
    Simple,
    /// As `simple` where SNR = ᾱ/(1 − ᾱ) is at most 5, and less above: min(SNR, 5) + 1 on the error of x0, that is
    /// (min(SNR, 5) + 1)/(SNR + 1) on that of v. On ε it is min(SNR, 5)/SNR (Hang et al. 2023).
    MinSnr,
    /// β²/(2σ²α(1 − ᾱ)) with σ² = β on the error of ε: the variational bound (Ho et al. 2020, equation 12), scaled to mean 1.
    Variational,
}

impl Weighting {
    /// The weight on the squared error of F for each timestep, `[t - 1]`.
    pub fn table(self, prediction: Prediction, schedule: Schedule, alpha_bars: &[f64]) -> Vec<f64> {
        let weight = |(i, alpha_bar): (usize, &f64)| {
            let snr = alpha_bar / (1.0 - alpha_bar);
            match self {
                Self::Simple => 1.0,
                Self::MinSnr => match prediction {
                    Prediction::Epsilon => snr.min(5.0) / snr,
                    Prediction::V => (snr.min(5.0) + 1.0) / (snr + 1.0),
                    Prediction::X0 => snr.min(5.0) + 1.0,
                },
                Self::Variational => {
                    let beta = schedule.beta(i + 1, alpha_bars.len());
                    let [_, slope] = prediction.epsilon_coefficients(*alpha_bar);
                    beta / (2.0 * (1.0 - beta) * (1.0 - alpha_bar)) * slope * slope
                }
            }
        };
        let mut table: Vec<f64> = alpha_bars.iter().enumerate().map(weight).collect();
        if self == Self::Variational {
            let mean = table.iter().sum::<f64>() / table.len() as f64;
            table.iter_mut().for_each(|w| *w /= mean);
        }
        table
    }
}

/// The usual [`Config::augment_share`].
fn half() -> f64 {
    0.5
}

/// Everything that decides the result of a run, given the data. Fields that runs of earlier versions lack mean what those runs did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the network.
    pub preset: String,
    /// Where the images came from.
    pub data: String,
    /// [`crate::data::Dataset::digest`] of the images.
    pub data_digest: u32,
    /// Height, width and channels of an image.
    pub image: [usize; 3],
    /// Number of classes, 0 for unlabelled data.
    pub classes: usize,
    /// Steps of the whole run.
    pub steps: u64,
    /// Images a step.
    pub batch: usize,
    /// Highest learning rate.
    pub lr: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// Noise schedule.
    pub schedule: ScheduleName,
    /// Number of timesteps T.
    pub timesteps: usize,
    /// What the network predicts.
    pub prediction: Prediction,
    /// Weight of the timesteps in the loss.
    pub weighting: Weighting,
    /// How often an image's class is replaced by the null class.
    pub label_dropout: f64,
    /// How images are varied.
    #[serde(default)]
    pub augment: Augment,
    /// How often an image is varied at all.
    #[serde(default = "half")]
    pub augment_share: f64,
    /// Steps over which the learning rate rises.
    pub warmup: u64,
    /// Decay rates of Adam's moments.
    pub betas: [f64; 2],
    /// Largest norm of the gradient.
    pub clip: f64,
    /// Decay of the averaged weights and statistics a step.
    pub ema: f64,
    /// How the run was fine-tuned, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fine_tuning: Option<FineTuning>,
}

impl Config {
    /// The choices that trained best on the digits, for a preset and data.
    pub fn new(preset: &str, data: &crate::data::Dataset) -> Self {
        Self {
            preset: preset.into(),
            data: data.source.clone(),
            data_digest: data.digest(),
            image: [data.shape.height, data.shape.width, data.shape.channels],
            classes: data.classes(),
            steps: 40_000,
            batch: 32,
            lr: 0.016,
            seed: 0,
            schedule: ScheduleName::Linear,
            timesteps: 1000,
            prediction: Prediction::V,
            weighting: Weighting::MinSnr,
            label_dropout: 0.1,
            augment: Augment::None,
            augment_share: half(),
            warmup: 200,
            betas: [0.9, 0.99],
            clip: 1.0,
            ema: 0.998,
            fine_tuning: None,
        }
    }

    /// Checks what a command line or an edited file can get wrong.
    ///
    /// # Errors
    /// A count of zero, a rate outside its range (usage errors).
    pub fn check(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        let positive = |v: f64| v.is_finite() && v > 0.0;
        let rate = |v: f64| (0.0..1.0).contains(&v);
        if self.steps == 0 || self.steps > i32::MAX as u64 {
            return fail(format!("--steps {}: give at least 1 and at most {}", self.steps, i32::MAX));
        }
        if self.batch == 0 || self.batch > 1 << 16 {
            return fail(format!("--batch {}: give at least 1 and at most {}", self.batch, 1 << 16));
        }
        if !positive(self.lr) || self.lr > 1.0 {
            return fail(format!("--lr {}: give a learning rate above 0 and at most 1", self.lr));
        }
        if self.timesteps < 2 || self.timesteps > 100_000 {
            return fail(format!("{} timesteps: give 2 to 100000", self.timesteps));
        }
        if !(0.0..=1.0).contains(&self.augment_share) {
            return fail(format!("--augment-share {}: give a share from 0 to 1", self.augment_share));
        }
        if !rate(self.label_dropout) || !rate(self.ema) || !self.betas.into_iter().all(rate) || !positive(self.clip) {
            return fail("label dropout, EMA and Adam's decays must lie in [0, 1), the clip norm above 0".into());
        }
        Ok(())
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        let [height, width, channels] = self.image;
        Shape::new(height, width, channels)
    }

    /// The network of this run.
    ///
    /// # Errors
    /// An unknown preset, or images that it cannot take.
    pub fn graph(&self) -> Result<Graph> {
        let graph = presets::build(&self.preset, self.shape(), self.classes)?;
        match &self.fine_tuning {
            Some(tuning) => Ok(graph.folded(finetune::tuned_plans(self, &tuning.plans)?)),
            None => Ok(graph),
        }
    }

    /// ᾱ_t for t = 1..=T, at `[t - 1]`.
    pub fn alpha_bars(&self) -> Vec<f64> {
        let mut alpha_bars = vec![0.0; self.timesteps];
        self.schedule.schedule().alpha_bars(&mut alpha_bars);
        alpha_bars
    }

    /// The learning rate at `progress` in [0, 1] after `step` steps: a linear rise over the warm-up, a cosine to zero over the run.
    pub fn learning_rate(&self, step: u64, progress: f64) -> f64 {
        let warmup = self.warmup.min(self.steps / 10).max(1);
        let rise = ((step + 1) as f64 / warmup as f64).min(1.0);
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos());
        self.lr * rise * fall
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn predictions_are_consistent() {
        for alpha_bar in [0.999, 0.5, 0.01] {
            let (x0, epsilon) = (0.3f64, -1.2f64);
            let x = f64::sqrt(alpha_bar) * x0 + f64::sqrt(1.0 - alpha_bar) * epsilon;
            for prediction in [Prediction::Epsilon, Prediction::V, Prediction::X0] {
                let dot = |[a, b]: [f64; 2], u: f64, v: f64| a * u + b * v;
                let f = dot(prediction.target_coefficients(alpha_bar), x0, epsilon);
                assert!((dot(prediction.epsilon_coefficients(alpha_bar), x, f) - epsilon).abs() < 1e-12);
                assert!((dot(prediction.x0_coefficients(alpha_bar), x, f) - x0).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn weights_agree_between_predictions() {
        // An error of x0 weighs the same whether it is measured on x0 or, multiplied by SNR + 1, on v.
        let mut alpha_bars = [0.0; 100];
        Schedule::COSINE.alpha_bars(&mut alpha_bars);
        for weighting in [Weighting::MinSnr, Weighting::Variational] {
            let v = weighting.table(Prediction::V, Schedule::COSINE, &alpha_bars);
            let x0 = weighting.table(Prediction::X0, Schedule::COSINE, &alpha_bars);
            let ratio = |i: usize| v[i] / (1.0 - alpha_bars[i]) / x0[i];
            for i in 0..99 {
                assert!((ratio(i) / ratio(0) - 1.0).abs() < 1e-9, "{weighting:?} at {i}");
            }
        }
        assert!(Weighting::Simple.table(Prediction::V, Schedule::LINEAR, &alpha_bars).iter().all(|w| *w == 1.0));
    }
}
