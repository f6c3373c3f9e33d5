//! A fine-tuning in memory, step by step.
use super::critic::{self, Critic, Seen};
use super::{balance, chain};
use crate::autograd::loss::{weighted_mse, Loss};
use crate::autograd::{Adam, Grads, Parameters, Tape};
use crate::data::Dataset;
use crate::graph::Graph;
use crate::lower::calibrate::calibrate;
use crate::lower::rounding::Rounding;
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::run::{Checkpoint, Config, FineTuning};
use crate::train::draws::Draws;
use crate::train::model::{forward, Batch};
use crate::train::trainer::average;
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Steps between two measurements of the ranges of activations.
const CALIBRATION_STEPS: u64 = 250;
/// How fast older batches fade from the moments of a plan's samples.
const MOMENTS_DECAY: f64 = 0.97;
/// Images of a step's chains, at least.
const SMALLEST_BATCH: usize = 32;
/// How much more the divergence of the drawn classes' shares weighs than a cross-entropy: it is small where it still shows.
const SHARES_WEIGHT: f64 = 5.0;
/// One chain in so many is drawn without a class.
const UNCONDITIONAL: u64 = 3;

/// Figures of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Steps done.
    pub step: u64,
    /// Distillation loss.
    pub distillation: f64,
    /// Mean of the critics' Fréchet distances over the data's variance, or 0.
    pub distance: f64,
    /// Mean of the classifying critics' class loss: the cross-entropy of the classes that were asked for, or without these the
    /// divergence of the drawn classes' shares from the data's.
    pub class_loss: f64,
    /// Whether the chains were drawn with classes.
    pub conditional: bool,
    /// The plan whose chains were run.
    pub plan: usize,
}

/// A fine-tuning in memory.
#[derive(Debug)]
pub struct FineTuner {
    config: Config,
    tuning: FineTuning,
    graph: Graph,
    teacher: Network,
    plans: Vec<NamedPlan>,
    critics: Vec<Critic>,
    /// For each plan, with and without classes, the moments in the features of each critic.
    seen: Vec<[Vec<Seen>; 2]>,
    rounding: Option<Rounding>,
    draws: Draws,
    labels: Vec<u8>,
    params: Parameters,
    adam: Adam,
    ema: Vec<f32>,
    losses: Vec<f32>,
}

impl FineTuner {
    /// A fine-tuning of `run` at its start; trains the critics, of which `on_critic` hears.
    ///
    /// # Errors
    /// A run that is fine-tuned already, numbers out of range, plans that do not fit, or data without classes where critics need them.
    pub fn new(run: &Checkpoint, data: &Dataset, tuning: FineTuning, on_critic: impl FnMut(u64, u64)) -> Result<Self> {
        if run.config.fine_tuning.is_some() {
            return Err(Error::Usage("the run is fine-tuned already; start from the run that it came from".into()));
        }
        tuning.check()?;
        let original = run.config.graph()?;
        let mut config = run.config.clone();
        config.fine_tuning = Some(tuning.clone());
        let graph = config.graph()?;
        let values = original.folded_params(&graph, &run.ema, &run.stats)?;
        let plans = config.plans(&tuning.plans)?;
        let matching = tuning.matching > 0.0;
        let critics = match matching {
            true => critic::train_all(data, tuning.critic_epochs, tuning.seed, on_critic)?,
            false => vec![],
        };
        let nothing = || vec![Seen::default(); critics.len()];
        Ok(Self {
            seen: plans.iter().map(|_| [nothing(), nothing()]).collect(),
            rounding: None,
            teacher: run.network()?,
            draws: Draws::new(&Config { batch: tuning.batch, seed: tuning.seed, ..config.clone() }),
            labels: data.labels.clone().unwrap_or_default(),
            params: Parameters::new(values.clone()),
            adam: Adam::new([0.9, 0.99]),
            ema: values,
            losses: vec![],
            config,
            tuning,
            graph,
            plans,
            critics,
        })
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// The plans, in the order of [`Figures::plan`].
    pub fn plans(&self) -> &[NamedPlan] {
        &self.plans
    }

    /// What a run's folder holds of this fine-tuning.
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
            stats: vec![],
            losses: self.losses.clone(),
            validation: vec![],
        })
    }

    /// One step, with the learning rate for `progress` in [0, 1].
    ///
    /// # Errors
    /// A loss or gradient that is not a number.
    pub fn tune_step(&mut self, data: &Dataset, progress: f64) -> Result<Figures> {
        let step = self.step();
        let fail = |reason: String| Error::Training { step: step + 1, reason };
        if self.tuning.quantize && step.is_multiple_of(CALIBRATION_STEPS) {
            let network = self.graph.fold(self.params.values(), &[])?;
            let ranges = calibrate(&network, &self.plans, self.tuning.seed, Default::default())?;
            self.rounding = Some(Rounding::new(&network.graph, &ranges)?);
        }
        let mut rounded = self.params.values().to_vec();
        if let Some(rounding) = &self.rounding {
            rounding.round_weights(&self.graph, &mut rounded)?;
        }
        // Gradients with respect to rounded weights are taken for those of the weights themselves.
        let rounded = Parameters::new(rounded);
        let mut figures = Figures { step: step + 1, ..Figures::default() };
        let mut gradient = vec![0.0f32; rounded.values().len()];
        let mut add = |loss: Loss, tape: Tape, weight: f32| {
            let mut grads = loss.backward(tape).map_err(|e| fail(e.to_string()))?;
            let grad = rounded.grad(&mut grads).map_err(|e| fail(e.to_string()))?;
            gradient.iter_mut().zip(grad).for_each(|(sum, g)| *sum += weight * *g);
            Ok::<(), Error>(())
        };

        let mut tape = Tape::default();
        let loss = self.distillation(data, step, &mut tape, &rounded)?;
        figures.distillation = loss.value;
        add(loss, tape, 1.0)?;
        if !self.critics.is_empty() {
            let mut tape = Tape::default();
            let loss = self.matching(step, &mut tape, &rounded, &mut figures);
            add(loss, tape, self.tuning.matching as f32)?;
        }

        let wrong = gradient.iter().filter(|g| !g.is_finite()).count();
        if wrong > 0 {
            let plan = &self.plans[figures.plan].name;
            return Err(fail(format!(
                "{wrong} of the gradient's values are not numbers (plan {plan}); try a smaller --lr"
            )));
        }
        let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
        let scale = (self.config.clip / norm).min(1.0) as f32;
        let mut grads = Grads::leaky();
        let grad = self.params.grad(&mut grads).map_err(|e| fail(e.to_string()))?;
        grad.iter_mut().zip(gradient).for_each(|(g, sum)| *g = scale * sum);
        let lr = self.learning_rate(progress);
        self.adam.update(&mut self.params, &mut grads, step + 1, lr).map_err(|e| fail(e.to_string()))?;
        let decay = self.tuning.ema.min((1 + step) as f64 / (10 + step) as f64) as f32;
        average(&mut self.ema, self.params.values(), decay);
        self.losses.push((figures.distillation + self.tuning.matching * figures.distance) as f32);
        Ok(figures)
    }

    /// Evens out the classes of draws without a class, where there are critics to read them; see [`balance::balance`]. The last
    /// thing to do.
    ///
    /// # Errors
    /// None for a fine-tuning made by this type.
    pub fn balance(&mut self, on_round: impl FnMut(&balance::Round)) -> Result<()> {
        if self.critics.is_empty() || self.tuning.balance_rounds == 0 {
            return Ok(());
        }
        let how = (self.tuning.balance_rounds, self.tuning.seed);
        balance::balance(&self.graph, &mut self.ema, &self.plans, &self.critics, how, on_round)
    }

    fn learning_rate(&self, progress: f64) -> f64 {
        let rise = (20.0 * progress).min(1.0);
        self.tuning.lr * rise * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }

    fn distillation(&mut self, data: &Dataset, step: u64, tape: &mut Tape, rounded: &Parameters) -> Result<Loss> {
        let draw = self.draws.draw(data, step);
        let mut columns = Vec::with_capacity(draw.timesteps.len() * self.teacher.bias_columns());
        for (t, row) in draw.timesteps.iter().zip(&draw.class_rows) {
            columns.extend(self.teacher.bias(*t, Some(*row).filter(|r| *r < self.teacher.classes()))?);
        }
        let target = self.teacher.forward(&draw.x, &columns, |_, _| ())?;
        let x = tape.hold(draw.x, draw.timesteps.len(), self.graph.input);
        let (timesteps, class_rows) = (&draw.timesteps[..], &draw.class_rows[..]);
        let batch = Batch { x: (x, false), timesteps, class_rows, plan_row: 0, rounding: self.rounding.as_ref() };
        let output = forward(&self.graph, tape, rounded, batch);
        Ok(weighted_mse(tape, &output.f, &target, &draw.weights))
    }

    fn matching(&mut self, step: u64, tape: &mut Tape, rounded: &Parameters, figures: &mut Figures) -> Loss {
        let mut rng = ChaCha8Rng::seed_from_u64(self.tuning.seed);
        rng.set_stream(u64::MAX / 2 + step);
        let index = (step % self.plans.len() as u64) as usize;
        let plan = &self.plans[index];
        let images = (self.tuning.evaluations / plan.steps.len()).max(SMALLEST_BATCH);
        let unconditional = (step / self.plans.len() as u64) % UNCONDITIONAL == UNCONDITIONAL - 1;
        // Classes are as frequent as in the data.
        let classes: Vec<u8> = (0..images).map(|_| self.labels[rng.random_range(0..self.labels.len())]).collect();
        let null = self.graph.conditioning.classes;
        let rows: Vec<usize> =
            classes.iter().map(|class| if unconditional { null } else { usize::from(*class) }).collect();
        let rounding = self.rounding.as_ref();
        let samples = chain::record(tape, &self.graph, rounded, rounding, plan, &rows, &mut rng);
        let classes = (!unconditional).then_some(&classes[..]);
        let count = self.critics.len() as f64;
        let mut gradients = vec![];
        for (critic, seen) in self.critics.iter().zip(&mut self.seen[index][usize::from(unconditional)]) {
            let weight = (self.tuning.class_weight * if unconditional { SHARES_WEIGHT } else { 1.0 }) as f32;
            let verdict = critic.judge(tape, &samples, classes, seen, MOMENTS_DECAY, weight);
            figures.distance += verdict.distance / count;
            figures.class_loss += verdict.class_loss / count;
            gradients.extend(verdict.gradients);
        }
        (figures.plan, figures.conditional) = (index, !unconditional);
        gradients.iter_mut().flat_map(|(_, g)| g.iter_mut()).for_each(|g| *g /= count as f32);
        Loss::of_gradients(tape, figures.distance, gradients)
    }
}
