//! A training in memory, step by step, and the loop that saves it.
use super::draws::Draws;
use super::model::{self, Batch};
use super::validation;
use crate::autograd::{Adam, Parameters, Tape};
use crate::data::{labels, Dataset};
use crate::graph::Graph;
use crate::nets::Choice;
use crate::network::Network;
use crate::run::{checkpoint, Checkpoint, Config, Validation};
use crate::{Error, Result};
use std::path::Path;
use std::time::{Duration, Instant};

/// Steps between two checkpoints of [`run`].
const CHECKPOINT_STEPS: u64 = 500;

/// A run in memory.
#[derive(Debug)]
pub struct Trainer {
    config: Config,
    graph: Graph,
    draws: Draws,
    params: Parameters,
    adam: Adam,
    ema: Vec<f32>,
    stats: Vec<f32>,
    losses: Vec<f32>,
    validation: Vec<Validation>,
}

impl Trainer {
    /// A run at its start.
    ///
    /// # Errors
    /// A configuration that makes no sense, or data that the preset cannot take.
    pub fn new(mut config: Config) -> Result<Self> {
        config.check()?;
        // A run holds its network's shape itself, whatever becomes of the preset.
        config.network = Choice::Spec(config.spec()?);
        let graph = config.graph()?;
        let values = graph.params.init(config.seed);
        let stats = graph.stats.init(config.seed);
        let adam = Adam::new(config.betas);
        let draws = Draws::new(&config);
        Ok(Self {
            draws,
            graph,
            params: Parameters::new(values.clone()),
            adam,
            ema: values,
            stats,
            losses: vec![],
            validation: vec![],
            config,
        })
    }

    /// A run as it was when `checkpoint` was made.
    ///
    /// # Errors
    /// As [`Self::new`], a run that is fine-tuned, or out of memory.
    pub fn from_checkpoint(checkpoint: Checkpoint) -> Result<Self> {
        if checkpoint.config.fine_tuning.is_some() {
            return Err(Error::Usage("the run is fine-tuned; training it on would undo that".into()));
        }
        let mut trainer = Self::new(checkpoint.config)?;
        trainer.params = Parameters::new(checkpoint.params);
        let [first, second] = trainer.adam.moments(&trainer.params).map_err(|e| Error::Invalid(e.to_string()))?;
        first.copy_from_slice(&checkpoint.adam_first);
        second.copy_from_slice(&checkpoint.adam_second);
        trainer.ema = checkpoint.ema;
        trainer.stats = checkpoint.stats;
        trainer.losses = checkpoint.losses;
        trainer.validation = checkpoint.validation;
        Ok(trainer)
    }

    /// Everything needed to continue or use this run.
    ///
    /// # Errors
    /// Out of memory.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let [first, second] = self.adam.moments(&self.params).map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(Checkpoint {
            config: self.config.clone(),
            params: self.params.values().to_vec(),
            adam_first: first.to_vec(),
            adam_second: second.to_vec(),
            ema: self.ema.clone(),
            stats: self.stats.clone(),
            losses: self.losses.clone(),
            validation: self.validation.clone(),
            unfinished: None,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The network's description.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// The loss of every step so far.
    pub fn losses(&self) -> &[f32] {
        &self.losses
    }

    /// The losses beside held-out images so far; none where the run holds none out.
    pub fn validation(&self) -> &[Validation] {
        &self.validation
    }

    /// Measures the averaged network on training and on held-out images.
    fn validate(&mut self, training: &Dataset, held_out: &Dataset) -> Result<()> {
        let network = self.network()?;
        let loss = |data| validation::loss(&network, &self.config, data).map(|loss| loss as f32);
        let losses = Validation { step: self.step(), training: loss(training)?, validation: loss(held_out)? };
        self.validation.push(losses);
        Ok(())
    }

    /// The averaged network, folded.
    ///
    /// # Errors
    /// None for a run made by this type.
    pub fn network(&self) -> Result<Network> {
        self.graph.fold(&self.ema, &self.stats)
    }

    /// One step, with the learning rate for `progress` in [0, 1]. Returns the loss.
    ///
    /// # Errors
    /// A loss or gradient that is not a number; the run is then as before the step.
    pub fn train_step(&mut self, data: &Dataset, progress: f64) -> Result<f32> {
        let step = self.step();
        let fail = |reason: String| Error::Training { step: step + 1, reason };
        let draw = self.draws.draw(data, step);
        let mut tape = Tape::default();
        let x = tape.hold(draw.x, draw.timesteps.len(), self.graph.input);
        let (timesteps, class_rows) = (&draw.timesteps[..], &draw.class_rows[..]);
        let batch = Batch { x: (x, false), timesteps, class_rows, plan_row: 0, rounding: None };
        let output = model::forward(&self.graph, &mut tape, &self.params, batch);
        let loss = crate::autograd::loss::weighted_mse(&mut tape, &output.f, &draw.target, &draw.weights);
        let value = loss.value as f32;
        if !value.is_finite() {
            return Err(fail("the loss is not a number; try a smaller --lr".into()));
        }
        let mut grads = loss.backward(tape).map_err(|e| fail(e.to_string()))?;
        let grad = self.params.grad(&mut grads).map_err(|e| fail(e.to_string()))?;
        let norm = grad.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>().sqrt();
        if !norm.is_finite() {
            return Err(fail("the gradient is not a number; try a smaller --lr".into()));
        }
        if norm > self.config.clip {
            let scale = (self.config.clip / norm) as f32;
            grad.iter_mut().for_each(|g| *g *= scale);
        }
        let lr = self.config.learning_rate(step, progress);
        self.adam.update(&mut self.params, &mut grads, step + 1, lr).map_err(|e| fail(e.to_string()))?;
        // The average starts short and grows to its full length.
        let decay = self.config.ema.min((1 + step) as f64 / (10 + step) as f64) as f32;
        average(&mut self.ema, self.params.values(), decay);
        average(&mut self.stats, &output.stats, decay);
        self.losses.push(value);
        Ok(value)
    }
}

pub(crate) fn average(mean: &mut [f32], new: &[f32], decay: f32) {
    mean.iter_mut().zip(new).for_each(|(m, n)| *m += (1.0 - decay) * (n - *m));
}

/// How far a run has come.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// Steps done.
    pub step: u64,
    /// The loss of the last step.
    pub loss: f32,
    /// Part of the run that is done, in [0, 1].
    pub done: f64,
}

/// Trains until the configured steps are done or, if `time` is given, that much time is over, whichever comes first;
/// the learning rate falls to zero at that moment either way. Images that the configuration holds out are not trained
/// on; the loss on them is measured, and a checkpoint saved in `folder` (where given), now and then and at the end.
/// Calls `on_step` after every step.
///
/// # Errors
/// Other data than the run was made for, a loss that is not a number (the last checkpoint stays), or a checkpoint that
/// cannot be written.
pub fn run(
    trainer: &mut Trainer,
    data: &Dataset,
    folder: Option<&Path>,
    time: Option<Duration>,
    mut on_step: impl FnMut(Progress),
) -> Result<()> {
    let (shape, classes) = (trainer.config.shape(), trainer.config.classes());
    if let Some(labels) = data.labels.as_ref().filter(|labels| !labels.fit(&trainer.config.axes)) {
        let [data_axes, run_axes] = [&labels.axes, &trainer.config.axes].map(|axes| labels::described(axes));
        return Err(Error::Invalid(format!(
            "the run learns labels with {run_axes}; those of {} have {data_axes}",
            data.source
        )));
    }
    if data.shape != shape || data.classes() > classes {
        return Err(Error::Invalid(format!(
            "the run learns images of {shape} in {classes} classes; {} holds images of {} in {}",
            data.source,
            data.shape,
            data.classes()
        )));
    }
    let parts = (trainer.config.validation > 0.0).then(|| data.hold_out(trainer.config.validation));
    let (data, held_out) = parts.as_ref().map_or((data, None), |[kept, held_out]| (kept, Some(held_out)));
    if data.is_empty() {
        return Err(Error::Usage("--validation leaves no image to train on".into()));
    }
    let start = Instant::now();
    let steps = trainer.config.steps;
    let mut saved = trainer.step();
    loop {
        let elapsed = time.map_or(0.0, |time| start.elapsed().as_secs_f64() / time.as_secs_f64());
        let progress = (trainer.step() as f64 / steps as f64).max(elapsed);
        let done = trainer.step() >= steps || elapsed >= 1.0;
        let due = trainer.step() >= saved + CHECKPOINT_STEPS || done || trainer.step() == 0;
        if due && (trainer.step() != saved || saved == 0) {
            if let Some(held_out) = held_out.filter(|_| trainer.step() > 0) {
                trainer.validate(data, held_out)?;
            }
            if let Some(folder) = folder {
                checkpoint::save(folder, &trainer.checkpoint()?)?;
            }
            saved = trainer.step();
        }
        if done {
            return Ok(());
        }
        let loss = trainer.train_step(data, progress)?;
        on_step(Progress { step: trainer.step(), loss, done: progress });
    }
}
