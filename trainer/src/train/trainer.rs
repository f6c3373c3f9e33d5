//! A training in memory, step by step.
use super::draws::{Draw, Draws};
use super::model::{self, Batch};
use super::validation;
use crate::autograd::{Adam, Buffer, Grads, Parameters, Tape};
use crate::data::Dataset;
use crate::graph::Graph;
use crate::nets::Choice;
use crate::network::Network;
use crate::process::Learning;
use crate::run::{Checkpoint, Config, Validation};
use crate::{Error, Result};
use std::time::{Duration, Instant};

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
    /// Local conditions of some training images, for chains of a network that follows one.
    locals: Vec<f32>,
    /// Time spent, where the run has a budget of it.
    seconds: f64,
}

/// Local conditions that are kept.
const KEPT_LOCALS: usize = 64;

/// About how many bytes a step on `images` images takes: what the backward pass needs of every layer, and as much again.
pub fn step_bytes(graph: &Graph, images: usize) -> u64 {
    let values: usize = graph.nodes.iter().map(|node| node.shape.len()).sum();
    8 * values as u64 * images as u64
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
        let learning = learning(&config, &graph, &values);
        config.learned = learning.map(|learning| learning.tables());
        Ok(Self {
            draws,
            graph,
            params: Parameters::new(values.clone()),
            adam,
            ema: values,
            stats,
            losses: vec![],
            validation: vec![],
            locals: vec![],
            seconds: 0.0,
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
        if checkpoint.packed_at.is_some() {
            return Err(Error::Usage(
                "the run is packed: it has the averaged weights alone, from which no training goes \
                                     on; start another with --from"
                    .into(),
            ));
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
        trainer.locals = checkpoint.locals;
        trainer.seconds = checkpoint.seconds;
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
            locals: self.locals.clone(),
            seconds: self.seconds,
            unfinished: None,
            packed_at: None,
        })
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The current weights and the averaged statistics of the norms.
    pub(super) fn weights(&self) -> (Vec<f32>, Vec<f32>) {
        (self.params.values().to_vec(), self.stats.clone())
    }

    /// Starts from these weights and statistics.
    pub(super) fn set_weights(&mut self, params: Vec<f32>, stats: Vec<f32>) {
        self.ema.clone_from(&params);
        self.params = Parameters::new(params);
        self.stats = stats;
        self.learn();
    }

    /// Notes what the averaged parameters say of a process that is learned.
    fn learn(&mut self) {
        self.config.learned = learning(&self.config, &self.graph, &self.ema).map(|learning| learning.tables());
    }

    /// The distance of the averaged weights from the current ones, as a share of these.
    pub(super) fn distance_of_average(&self) -> f64 {
        let length = |values: &mut dyn Iterator<Item = f32>| values.map(|v| f64::from(v).powi(2)).sum::<f64>().sqrt();
        let apart = length(&mut self.params.values().iter().zip(&self.ema).map(|(a, b)| a - b));
        apart / length(&mut self.params.values().iter().copied()).max(f64::MIN_POSITIVE)
    }

    /// Part of the run that is done, in [0, 1].
    pub fn done(&self) -> f64 {
        self.progress(Instant::now(), None)
    }

    /// Counts the time since `start` where the run has a budget of it.
    pub(super) fn spend(&mut self, start: &mut Instant) {
        if self.config.minutes.is_some() {
            self.seconds += start.elapsed().as_secs_f64();
            *start = Instant::now();
        }
    }

    /// Part of the run that is done, in [0, 1], by steps or by the time since `start`, whichever is further.
    pub(super) fn progress(&self, start: Instant, time: Option<Duration>) -> f64 {
        let time = time.or(self.config.minutes.map(|minutes| Duration::from_secs_f64(60.0 * minutes)));
        let spent = self.seconds + start.elapsed().as_secs_f64();
        let elapsed = time.map_or(0.0, |time| spent / time.as_secs_f64());
        (self.step() as f64 / self.config.steps as f64).max(elapsed).min(1.0)
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
    pub(super) fn validate(&mut self, training: &Dataset, held_out: &Dataset) -> Result<()> {
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
        Ok(Network { locals: self.locals.clone(), ..self.graph.fold(&self.ema, &self.stats)? })
    }

    /// Keeps the local conditions of some images of `data`, evenly taken, where the network follows one.
    ///
    /// # Errors
    /// None for a run made by this type.
    pub fn keep_locals(&mut self, data: &Dataset) -> Result<()> {
        if let Some(local) = self.config.local_mel()? {
            let count = KEPT_LOCALS.min(data.len());
            self.locals = (0..count).flat_map(|i| local.of(&data.image(i * data.len() / count))).collect();
        }
        Ok(())
    }

    /// What step `step` (counted from 0) is made of: its images with noise, timesteps and classes. It depends on the
    /// configuration, the data and the step alone.
    pub fn draw(&mut self, data: &Dataset, step: u64) -> Draw {
        self.draws.draw(data, step)
    }

    /// One step, with the learning rate for `progress` in [0, 1]. Returns the loss.
    ///
    /// # Errors
    /// A loss or gradient that is not a number; the run is then as before the step.
    pub fn train_step(&mut self, data: &Dataset, progress: f64) -> Result<f32> {
        let step = self.step();
        let fail = |reason: String| Error::Training { step: step + 1, reason };
        let draw = self.draws.draw(data, step);
        let parts = self.config.accumulate;
        let (mut value, mut stats, mut sum) = (0.0, vec![0.0; self.stats.len()], Vec::new());
        let mut grads = None;
        for part in 0..parts {
            let (part_value, part_stats, part_grads) = self.gradients(&draw, part, &fail)?;
            value += part_value / parts as f32;
            stats.iter_mut().zip(part_stats).for_each(|(mean, value)| *mean += value / parts as f32);
            let part_grads = grads.insert(part_grads);
            let grad = self.params.grad(part_grads).map_err(|e| fail(e.to_string()))?;
            grad.iter_mut().zip(&sum).for_each(|(grad, sum)| *grad += sum);
            if part + 1 < parts {
                sum = grad.to_vec();
            } else if parts > 1 {
                grad.iter_mut().for_each(|grad| *grad /= parts as f32);
            }
        }
        let Some(mut grads) = grads else { return Err(fail("a step of no part does nothing".into())) };
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
        average(&mut self.stats, &stats, decay);
        self.learn();
        self.losses.push(value);
        Ok(value)
    }

    /// Loss, statistics and gradients of one of the parts that a step's images are computed in.
    fn gradients(&self, draw: &Draw, part: usize, fail: &impl Fn(String) -> Error) -> Result<(f32, Vec<f32>, Grads)> {
        let images = draw.timesteps.len() / self.config.accumulate;
        let of = |per_image: usize| part * images * per_image..(part + 1) * images * per_image;
        let values = of(self.graph.input.len());
        let mut tape = Tape::default();
        let x = tape.hold(Buffer::copy_of(&draw.x[values.clone()]), images, self.graph.input);
        let timesteps = &draw.timesteps[of(1)];
        let learning = learning(&self.config, &self.graph, self.params.values());
        let noised = learning
            .as_ref()
            .map(|learning| learning.noise(&mut tape, &self.params, &x, &draw.target[values.clone()], timesteps));
        let input = noised.as_ref().map_or((x, false), |noised| (noised.x.clone(), true));
        let class_rows = &draw.class_rows[of(draw.class_rows.len() / draw.timesteps.len())];
        let times: Vec<f64> = timesteps.iter().map(|t| *t as f64).collect();
        let local = self.graph.local().map(|shape| {
            let values = &draw.locals[of(shape.len())];
            tape.hold(Buffer::copy_of(values), images, shape)
        });
        let batch = Batch { x: input, local, timesteps: &times, class_rows, plan_row: 0, rounding: None };
        let output = model::forward(&self.graph, &mut tape, &self.params, batch);
        let (x, target) = (&draw.x[values.clone()], &draw.target[values]);
        let loss = match (learning, noised) {
            (Some(learning), Some(noised)) => learning.loss(&mut tape, &self.params, &output.f, noised, timesteps),
            _ => self.draws.process().loss(&mut tape, &output.f, x, target, timesteps),
        };
        let value = loss.value as f32;
        if !value.is_finite() {
            return Err(fail("the loss is not a number; try a smaller --lr".into()));
        }
        Ok((value, output.stats, loss.backward(tape).map_err(|e| fail(e.to_string()))?))
    }
}

/// The process in training, where it is learned.
fn learning(config: &Config, graph: &Graph, params: &[f32]) -> Option<Learning> {
    Learning::of(&graph.params, params, config.schedule.learned()?)
}

pub(crate) fn average(mean: &mut [f32], new: &[f32], decay: f32) {
    mean.iter_mut().zip(new).for_each(|(m, n)| *m += (1.0 - decay) * (n - *m));
}
