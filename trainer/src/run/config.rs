//! What a run is: everything that decides its result, as stored beside its weights.
use super::fine_tuning::FineTuning;
use crate::data::augment::Augment;
use crate::data::{labels, Axis, Options};
use crate::graph::{Graph, Shape, TunedPlan};
use crate::nets::{self, Spec};
use crate::plans::{self, NamedPlan};
use crate::process::{
    Activity, Binomial, Gaussian, Prediction, Process, ProcessName, ScheduleName, Weighting, BIT_TIMESTEPS,
};
use crate::{Error, Result};
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

/// The usual [`Config::snr_gamma`].
fn five() -> f64 {
    5.0
}

/// A year.
const MOST_MINUTES: f64 = 525_600.0;
/// Most values of an image: as many as the largest arena has bytes.
const MOST_VALUES: usize = 1 << 24;

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
        if self.accumulate == 0 || !self.batch.is_multiple_of(self.accumulate) {
            let batch = self.batch;
            return fail(format!("--accumulate {}: give a divisor of the {batch} images a step", self.accumulate));
        }
        if let Some(minutes) = self.minutes.filter(|minutes| !positive(*minutes) || *minutes > MOST_MINUTES) {
            return fail(format!("--minutes {minutes}: give a time above 0 and at most {MOST_MINUTES}"));
        }
        let [height, width, channels] = self.image;
        if self.image.iter().any(|size| *size > 65_535) || height * width * channels > MOST_VALUES {
            return fail(format!(
                "images of {} are more than the {MOST_VALUES} values that a chain can hold; scale them down",
                self.shape()
            ));
        }
        if !positive(self.lr) || self.lr > 1.0 {
            return fail(format!("--lr {}: give a learning rate above 0 and at most 1", self.lr));
        }
        if self.timesteps < 2 || self.timesteps > 100_000 {
            return fail(format!("--timesteps {}: give 2 to 100000", self.timesteps));
        }
        if let Some(levels) = self.schedule.levels().filter(|levels| *levels != self.timesteps) {
            return fail(format!(
                "--timesteps {}: the schedule {} has {levels} levels, which are the timesteps; leave it out",
                self.timesteps, self.schedule
            ));
        }
        self.check_process()?;
        if !positive(self.snr_gamma) {
            return fail(format!("--snr-gamma {}: give a number above 0", self.snr_gamma));
        }
        if !rate(self.label_dropout) {
            return fail(format!("--label-dropout {}: give a share of at least 0 and below 1", self.label_dropout));
        }
        if !rate(self.ema) {
            return fail(format!("--ema {}: give a decay of at least 0 and below 1", self.ema));
        }
        if !(0.0..=0.5).contains(&self.validation) {
            return fail(format!("--validation {}: give a share from 0 to 0.5", self.validation));
        }
        if !(0.0..=1.0).contains(&self.augment_share) {
            return fail(format!("--augment-share {}: give a share from 0 to 1", self.augment_share));
        }
        if !self.betas.into_iter().all(rate) || !positive(self.clip) {
            return fail("Adam's decays must lie in [0, 1), the clip norm above 0".into());
        }
        self.spec()?;
        Ok(())
    }

    /// Checks what belongs to the process.
    fn check_process(&self) -> Result<()> {
        let fail = |what: String| Err(Error::Usage(what));
        if self.process.is_binomial() {
            let usual = Self::usual();
            let channels = self.image[2];
            return match () {
                () if self.schedule != usual.schedule => fail(format!(
                    "--schedule {}: it is of the Gaussian process; --process binomial keeps a bit with probability \
                     1 - 1/(T - t + 1) in step t",
                    self.schedule
                )),
                () if self.zero_terminal_snr => fail(
                    "--zero-terminal-snr: it is of the Gaussian process; --process binomial ends without signal".into(),
                ),
                () if self.prediction != usual.prediction => fail(
                    "--prediction: it is of the Gaussian process; over bits the network predicts logits of x0".into(),
                ),
                () if self.weighting == Weighting::MinSnr => {
                    fail("--weighting min-snr: it is of the Gaussian process; give simple or variational".into())
                }
                () if channels != 1 => fail(format!(
                    "--process binomial: a bit a pixel, but the images have {channels} channels; give gray ones"
                )),
                () => Ok(()),
            };
        }
        // Linear β of few timesteps pass 1, and ᾱ of very many may vanish.
        let alpha_bars = self.alpha_bars();
        let end = if self.zero_terminal_snr { alpha_bars.len() - 1 } else { alpha_bars.len() };
        if !alpha_bars.windows(2).all(|w| w[1] < w[0])
            || !alpha_bars[..end].iter().all(|a| (f64::MIN_POSITIVE..1.0).contains(a))
        {
            return fail(format!(
                "--timesteps {}: the schedule needs more steps (linear: at least 21), or another --schedule",
                self.timesteps
            ));
        }
        if self.zero_terminal_snr && self.prediction == Prediction::Epsilon {
            return fail(
                "--zero-terminal-snr: ε says nothing of the image at ᾱ = 0; choose --prediction v or x0 with it".into(),
            );
        }
        Ok(())
    }

    /// Takes what is usual with the process where nothing was asked for, and resolves what only the data say.
    pub fn settle(&mut self, data: &crate::data::Dataset, timesteps_asked: bool, weighting_asked: bool) {
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

    /// The network of this run.
    ///
    /// # Errors
    /// An unknown preset, or images that it cannot take.
    pub fn graph(&self) -> Result<Graph> {
        let graph = self.spec()?.build(self.shape(), &self.class_counts())?;
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
        let specs = plans::parse_all(texts)?;
        match self.process() {
            Process::Gaussian(_) => {
                let alpha_bars = self.alpha_bars();
                specs.iter().map(|spec| spec.build(self.prediction.into(), &alpha_bars)).collect()
            }
            Process::Binomial(process) => {
                specs.iter().map(|spec| spec.build_bits(process.kept(), process.mean())).collect()
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
                Process::Gaussian(Gaussian::new(self.alpha_bars(), self.prediction, self.weighting, self.snr_gamma))
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
mod tests {
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

    fn config() -> Config {
        let images = vec![0.0; 64];
        let data = Dataset { source: "one".into(), shape: Shape::new(8, 8, 1), images: images.into(), labels: None };
        Config::new("tiny", &data)
    }

    #[test]
    fn checks_refuse() {
        assert!(config().check().is_ok());
        fn vary(width: f64, blocks: Option<usize>) -> nets::Choice {
            nets::Choice::Preset(nets::Variation { width, blocks, norm: None })
        }
        type Change = fn(&mut Config);
        fn bits(c: &mut Config) {
            c.process = "binomial".parse().unwrap();
            (c.timesteps, c.weighting) = (100, Weighting::Simple);
        }
        let mut good = config();
        bits(&mut good);
        assert!(good.check().is_ok());
        let cases: [(&str, Change); 18] = [
            ("--schedule cosine: it is of the Gaussian process", |c| {
                bits(c);
                c.schedule = ScheduleName::Cosine;
            }),
            ("--zero-terminal-snr: it is of the Gaussian process", |c| {
                bits(c);
                c.zero_terminal_snr = true;
            }),
            ("--prediction: it is of the Gaussian process", |c| {
                bits(c);
                c.prediction = Prediction::X0;
            }),
            ("--weighting min-snr: it is of the Gaussian process", |c| {
                bits(c);
                c.weighting = Weighting::MinSnr;
            }),
            ("the images have 3 channels; give gray ones", |c| {
                bits(c);
                c.image[2] = 3;
            }),
            ("--timesteps 1:", |c| c.timesteps = 1),
            ("--timesteps 20:", |c| c.timesteps = 20),
            ("--timesteps 1000: the schedule geometric:2:0.02:10 has 10 levels", |c| {
                c.schedule = "geometric:2:0.02:10".parse().unwrap();
            }),
            ("--zero-terminal-snr: ε", |c| (c.prediction, c.zero_terminal_snr) = (Prediction::Epsilon, true)),
            ("--snr-gamma 0:", |c| c.snr_gamma = 0.0),
            ("--label-dropout 1:", |c| c.label_dropout = 1.0),
            ("--ema 1:", |c| c.ema = 1.0),
            ("--ema NaN:", |c| c.ema = f64::NAN),
            ("--validation 0.6:", |c| c.validation = 0.6),
            ("--augment-share -0.1:", |c| c.augment_share = -0.1),
            ("--width 0:", |c| c.network = vary(0.0, None)),
            ("--blocks 99:", |c| c.network = vary(1.0, Some(99))),
            ("clip norm", |c| c.clip = 0.0),
        ];
        for (reason, change) in cases {
            let mut config = config();
            change(&mut config);
            let error = config.check().unwrap_err();
            assert!(error.to_string().contains(reason) && error.exit_code() == 2, "{reason} {error}");
        }
        for schedule in [ScheduleName::Linear, ScheduleName::Cosine, ScheduleName::Sigmoid] {
            for (timesteps, zero_terminal_snr) in [(21, false), (21, true), (100_000, false), (4000, true)] {
                let config = Config { schedule, timesteps, zero_terminal_snr, ..config() };
                assert!(config.check().is_ok(), "{config:?}");
                assert!(weights_of(&config).iter().all(|w| w.is_finite()));
            }
        }
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
