//! What a run is: everything that decides its result, as stored beside its weights.
use super::fine_tuning::FineTuning;
use crate::data::augment::Augment;
use crate::data::{labels, Axis, Options, Sound};
use crate::graph::{Graph, Shape, TunedPlan};
use crate::nets::{self, Local, Spec};
use crate::plans::NamedPlan;
use crate::process::{
    push_learned, Activity, Binomial, Gaussian, Learned, Prediction, Process, ProcessName, ScheduleName, Weighting,
    BIT_TIMESTEPS, LEARNED_TIMESTEPS,
};
use crate::recognition::LocalMel;
use crate::{Error, Result};
use brownian::host::PlanSpec;
use brownian::plan::schedule::rescale_to_zero_terminal_snr;
use serde::{Deserialize, Serialize};

/// The usual [`Config::augment_share`].
fn half() -> f64 {
    0.5
}

/// The usual [`Config::accumulate`].
fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

/// The usual [`Config::data_scale`].
fn unscaled() -> f64 {
    1.0
}

fn is_unscaled(scale: &f64) -> bool {
    *scale == 1.0
}

/// The usual [`Config::snr_gamma`].
fn five() -> f64 {
    5.0
}

/// Everything that decides the result of a run, given the data. Fields that runs of earlier versions lack mean what
/// those runs did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Name of the network.
    pub preset: String,
    /// The network's shape; in runs of earlier versions, what is changed of the preset of that name.
    #[serde(default)]
    pub network: nets::Choice,
    /// Where the images came from.
    pub data: String,
    /// How they were read.
    #[serde(default, skip_serializing_if = "Options::is_usual")]
    pub data_options: Options,
    /// [`crate::data::Dataset::digest`] of the images.
    pub data_digest: u32,
    /// The factor on the values before noise is added to them; plans end in the data's own units.
    #[serde(default = "unscaled", skip_serializing_if = "is_unscaled")]
    pub data_scale: f64,
    /// Samples a second, where the data are sound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_rate: Option<u32>,
    /// Height, width and channels of an image.
    pub image: [usize; 3],
    /// The axes of the labels, none for unlabelled data. A file holds the number of classes where nothing is named.
    #[serde(rename = "classes", with = "labels::text")]
    pub axes: Vec<Axis>,
    /// Steps of the whole run.
    pub steps: u64,
    /// Minutes of the whole run, where it has a budget of time beside its steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minutes: Option<f64>,
    /// Images a step.
    pub batch: usize,
    /// Parts that a step's images are computed in, one after the other, their gradients added up.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub accumulate: usize,
    /// The run whose weights it started from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Highest learning rate.
    pub lr: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// The process; schedule and prediction are of the Gaussian one.
    #[serde(default, skip_serializing_if = "ProcessName::is_gaussian")]
    pub process: ProcessName,
    /// Noise schedule.
    pub schedule: ScheduleName,
    /// What a learned schedule has become.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned: Option<Learned>,
    /// Number of timesteps T.
    pub timesteps: usize,
    /// Whether the schedule is rescaled so that ᾱ_T = 0.
    #[serde(default)]
    pub zero_terminal_snr: bool,
    /// What the network predicts.
    pub prediction: Prediction,
    /// Weight of the timesteps in the loss.
    pub weighting: Weighting,
    /// γ of [`Weighting::MinSnr`].
    #[serde(default = "five")]
    pub snr_gamma: f64,
    /// How often an image's class is replaced by the null class.
    pub label_dropout: f64,
    /// Share of the images that is held out for the validation loss.
    #[serde(default)]
    pub validation: f64,
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
            sample_rate: data.sound.map(|sound| sound.rate),
            data_scale: data.sound.map_or(unscaled(), |sound| sound.scale),
            image: [data.shape.height, data.shape.width, data.shape.channels],
            axes: data.axes().to_vec(),
            ..Self::usual()
        }
    }

    /// What `trainer train` does where it is told nothing else, for no images yet.
    pub fn usual() -> Self {
        Self {
            preset: "small".into(),
            network: nets::Choice::default(),
            data: "digits".into(),
            data_options: Options::default(),
            data_digest: 0,
            data_scale: unscaled(),
            sample_rate: None,
            image: [0; 3],
            axes: vec![],
            steps: 40_000,
            minutes: None,
            batch: 32,
            accumulate: one(),
            from: None,
            lr: 0.016,
            seed: 0,
            process: ProcessName::Gaussian,
            schedule: ScheduleName::Linear,
            learned: None,
            timesteps: 1000,
            zero_terminal_snr: false,
            prediction: Prediction::V,
            weighting: Weighting::MinSnr,
            snr_gamma: five(),
            label_dropout: 0.1,
            validation: 0.0,
            augment: Augment::None,
            augment_share: half(),
            warmup: 200,
            betas: [0.9, 0.99],
            clip: 1.0,
            ema: 0.998,
            fine_tuning: None,
        }
    }

    /// Takes what is usual with the process where nothing was asked for, and resolves what only the data say.
    pub fn settle(&mut self, data: &crate::data::Dataset, timesteps_asked: bool, weighting_asked: bool) {
        if self.schedule.learned().is_some() {
            if !timesteps_asked {
                self.timesteps = LEARNED_TIMESTEPS;
            }
            if !weighting_asked {
                self.weighting = Weighting::Variational;
            }
        }
        // Bits have no size and a learned schedule finds its own noise, whatever the sound's; a factor that was asked for
        // stays and is refused.
        let has_no_factor = self.process.is_binomial() || self.schedule.learned().is_some();
        if has_no_factor && data.sound.is_some_and(|sound| sound.scale == self.data_scale) {
            self.data_scale = unscaled();
        }
        let ProcessName::Binomial(activity) = self.process else { return };
        if !timesteps_asked {
            self.timesteps = BIT_TIMESTEPS;
        }
        if !weighting_asked {
            self.weighting = Weighting::Simple;
        }
        if activity == Activity::Data {
            self.process = ProcessName::Binomial(Activity::Share(data.activity()));
        }
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        let [height, width, channels] = self.image;
        Shape::new(height, width, channels)
    }

    /// Number of classes on all axes together, 0 for unlabelled data.
    pub fn classes(&self) -> usize {
        self.class_counts().iter().sum()
    }

    /// Number of classes of each axis.
    pub fn class_counts(&self) -> Vec<usize> {
        self.axes.iter().map(|axis| axis.classes.len()).collect()
    }

    /// The shape of this run's network.
    ///
    /// # Errors
    /// An unknown preset, or a shape that makes no sense.
    pub fn spec(&self) -> Result<Spec> {
        self.network.spec(&self.preset, self.shape())
    }

    /// What makes the local conditions of this run's signals, if its network follows one.
    ///
    /// # Errors
    /// Data that are no sounds, or whose log-mel spectrograms are of another size (usage errors).
    pub fn local_mel(&self) -> Result<Option<LocalMel>> {
        let Some(Local { bands, hop }) = self.spec()?.local() else { return Ok(None) };
        let Some(rate) = self.sample_rate else {
            return Err(Error::Usage(format!(
                "the network follows log-mel spectrograms, which the data {} have none of: they are no sounds",
                self.data
            )));
        };
        let length = self.image[1];
        let local = LocalMel::new(length, Sound { rate, scale: self.data_scale });
        let shape = local.shape();
        if (shape.width * hop, shape.channels) == (length, bands) {
            return Ok(Some(local));
        }
        Err(Error::Usage(format!(
            "the network follows a local condition of {bands} bands in frames of {hop} samples; at {rate} samples a second a \
             log-mel spectrogram has {} bands in frames of {}: give --rate 8000, or a --net with local.hop = {1}",
            shape.channels,
            length / shape.width.max(1)
        )))
    }

    /// The network of this run.
    ///
    /// # Errors
    /// An unknown preset, or images that it cannot take.
    pub fn graph(&self) -> Result<Graph> {
        let mut graph = self.spec()?.build(self.shape(), &self.class_counts())?;
        if let Some(beta_first) = self.schedule.learned() {
            push_learned(&mut graph.params, self.timesteps, beta_first);
        }
        match &self.fine_tuning {
            Some(tuning) => Ok(graph.folded(self.tuned_plans(&tuning.plans)?)),
            None => Ok(graph),
        }
    }

    /// Plans as they are written on the command line, built for this run's process.
    ///
    /// # Errors
    /// Plans that do not parse, or do not fit the process.
    pub fn plans(&self, texts: &[String]) -> Result<Vec<NamedPlan>> {
        let specs = PlanSpec::parse_all(texts)?;
        match self.process() {
            Process::Gaussian(_) => {
                let alpha_bars = self.alpha_bars();
                // The variances are of x̂0 in the data's units, the process runs on the scaled data.
                let errors = self.learned.as_ref().map_or(&[][..], |learned| &learned.errors);
                let errors: Vec<f64> = errors.iter().map(|error| error * self.data_scale.powi(2)).collect();
                let build = |spec: &PlanSpec| {
                    Ok(NamedPlan::new(spec, self.prediction.into(), &alpha_bars, &errors)?.scaled(self.data_scale))
                };
                specs.iter().map(build).collect()
            }
            Process::Binomial(process) => {
                specs.iter().map(|spec| NamedPlan::of_bits(spec, process.kept(), process.mean())).collect()
            }
        }
    }

    /// The plans of a fine-tuned network as its conditioning knows them.
    fn tuned_plans(&self, texts: &[String]) -> Result<Vec<TunedPlan>> {
        let timesteps = |plan: &NamedPlan| plan.steps.timesteps().collect();
        let plans = self.plans(texts)?;
        Ok(plans.iter().map(|plan| TunedPlan { name: plan.name.clone(), timesteps: timesteps(plan) }).collect())
    }

    /// ᾱ_t for t = 1..=T, at `[t - 1]`.
    pub fn alpha_bars(&self) -> Vec<f64> {
        if let Some(learned) = &self.learned {
            return learned.alpha_bars.clone();
        }
        let mut alpha_bars = vec![0.0; self.timesteps];
        self.schedule.schedule(self.timesteps).alpha_bars(&mut alpha_bars);
        if self.zero_terminal_snr {
            rescale_to_zero_terminal_snr(&mut alpha_bars);
        }
        alpha_bars
    }

    /// The process that the run learns to reverse.
    pub fn process(&self) -> Process {
        match self.process {
            ProcessName::Gaussian => {
                let process = Gaussian::new(self.alpha_bars(), self.prediction, self.weighting, self.snr_gamma);
                let process = process.scaled(self.data_scale);
                Process::Gaussian(match &self.learned {
                    Some(learned) => process.with_errors(learned.errors.clone()),
                    None => process,
                })
            }
            ProcessName::Binomial(activity) => {
                let mean = match activity {
                    Activity::Share(share) => share,
                    // Of a run whose data are not known yet.
                    Activity::Data => 0.5,
                };
                Process::Binomial(Binomial::new(self.timesteps, mean, self.weighting))
            }
        }
    }

    /// The learning rate at `progress` in [0, 1] after `step` steps: a linear rise over the warm-up, a cosine to zero
    /// over the run.
    pub fn learning_rate(&self, step: u64, progress: f64) -> f64 {
        let warmup = self.warmup.min(self.steps / 10).max(1);
        let rise = ((step + 1) as f64 / warmup as f64).min(1.0);
        let fall = 0.5 * (1.0 + (std::f64::consts::PI * progress.clamp(0.0, 1.0)).cos());
        self.lr * rise * fall
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::data::Dataset;
    use brownian::plan::schedule::Schedule;

    #[test]
    fn weights_have_their_formula() {
        let config = Config { weighting: Weighting::Variational, prediction: Prediction::Epsilon, ..config() };
        let (alpha_bars, weights) = (config.alpha_bars(), weights_of(&config));
        // β²/(2σ²α(1 − ᾱ)) with σ² = β, up to a factor.
        let formula = |t: usize| {
            let beta = Schedule::LINEAR.beta(t, 1000);
            beta * beta / (2.0 * beta * (1.0 - beta) * (1.0 - alpha_bars[t - 1]))
        };
        for t in [2, 10, 500, 1000] {
            assert!((weights[t - 1] / weights[0] * formula(1) / formula(t) - 1.0).abs() < 1e-9);
        }
        assert!((weights.iter().sum::<f64>() / 1000.0 - 1.0).abs() < 1e-9);
        // SNR(500) = 0.0785/0.9215 is below any γ here; at t = 1 it is 9999.
        let snr_weights = |snr_gamma| weights_of(&Config { weighting: Weighting::MinSnr, snr_gamma, ..config.clone() });
        for gamma in [1.0, 5.0] {
            assert_eq!(snr_weights(gamma)[499], 1.0);
            assert!((snr_weights(gamma)[0] / (gamma / 9999.0) - 1.0).abs() < 1e-9);
        }
    }

    fn weights_of(config: &Config) -> Vec<f64> {
        let Process::Gaussian(process) = config.process() else { panic!("a Gaussian process") };
        (1..=process.timesteps()).map(|t| process.weight(t)).collect()
    }

    /// A configuration to vary.
    pub(in crate::run) fn config() -> Config {
        let images = vec![0.0; 64];
        let data = Dataset {
            source: "one".into(),
            shape: Shape::new(8, 8, 1),
            images: images.into(),
            labels: None,
            sound: None,
        };
        Config::new("tiny", &data)
    }

    /// A run file of a version that knew none of the newer fields.
    #[test]
    fn older_run_files_keep_their_meaning() {
        let mut table = toml::Table::try_from(config()).unwrap();
        for newer in ["network", "zero_terminal_snr", "snr_gamma", "validation", "augment", "augment_share"] {
            assert!(table.remove(newer).is_some(), "{newer}");
        }
        assert_eq!(table.try_into::<Config>().unwrap(), config());
    }
}
