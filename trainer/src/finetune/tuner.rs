//! A fine-tuning in memory, step by step.
use super::class_prior::{Calibration, Round};
use super::critic::{ClassLoss, Critic, Seen};
use super::{chain, critics, following};
use crate::autograd::loss::Loss;
use crate::autograd::{Adam, Grads, Parameters, Tape};
use crate::data::{Dataset, Labels};
use crate::graph::Graph;
use crate::lower::calibrate::calibrate;
use crate::lower::rounding::Rounding;
use crate::lower::Range;
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::recognition::LocalMel;
use crate::run::{Checkpoint, Config, FineTuning};
use crate::train::draws::Draws;
use crate::train::model::{forward, Batch};
use crate::train::trainer::{average, step_bytes};
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Steps between two measurements of the ranges of activations.
const CALIBRATION_STEPS: u64 = 250;
/// Images of a step's chains, at least.
const SMALLEST_BATCH: usize = 32;
/// How much more the divergence of the drawn classes' shares weighs than a cross-entropy: it is small where it still
/// shows.
const SHARES_WEIGHT: f64 = 5.0;
/// How much the distance from a local condition, of which 1 is 25 dB, weighs beside the critics' distances.
const FOLLOWING_WEIGHT: f32 = 5.0;
/// One chain in so many is drawn without a class.
const UNCONDITIONAL: u64 = 3;

/// Figures of a step.
#[derive(Clone, Copy, Debug, Default)]
pub struct Figures {
    /// Steps done.
    pub step: u64,
    /// Distillation loss.
    pub distillation: f64,
    /// Mean of the critics' Fréchet distances over the data's variance, or of their roots, and the distance from local
    /// conditions, where chains follow them; without critics 0.
    pub distance: f64,
    /// Mean of the classifying critics' class loss: the cross-entropy of the classes that were asked for, or without
    /// these the divergence of the drawn classes' shares from the data's.
    pub class_loss: f64,
    /// Whether the chains were drawn with classes.
    pub conditional: bool,
    /// The plan whose chains were run.
    pub plan: usize,
}

/// A fine-tuning in memory.
#[derive(Debug)]
pub struct FineTuner {
    pub(super) config: Config,
    pub(super) tuning: FineTuning,
    pub(super) graph: Graph,
    pub(super) teacher: Teacher,
    pub(super) plans: Vec<NamedPlan>,
    pub(super) critics: Vec<Critic>,
    /// For each plan, with and without classes, the moments in the features of each critic.
    pub(super) seen: Vec<[Vec<Seen>; 2]>,
    /// Ranges of the activations, and the rounding that follows from them.
    pub(super) rounding: Option<(Vec<Range>, Rounding)>,
    draws: Draws,
    /// What makes the local conditions of signals, where the network follows one.
    local: Option<LocalMel>,
    /// The labels of the images, where the network draws with classes.
    labels: Option<Labels>,
    pub(super) params: Parameters,
    pub(super) adam: Adam,
    pub(super) ema: Vec<f32>,
    pub(super) losses: Vec<f32>,
    pub(super) calibration: Calibration,
}

/// The run that a fine-tuning starts from.
#[derive(Debug)]
pub(super) struct Teacher {
    /// Its averaged parameters.
    pub params: Vec<f32>,
    /// Its norms' statistics.
    pub stats: Vec<f32>,
    pub network: Network,
}

impl Teacher {
    /// The averaged network of a run.
    pub fn new(config: &Config, params: Vec<f32>, stats: Vec<f32>, locals: Vec<f32>) -> Result<Self> {
        let network = Network { locals, ..config.graph()?.fold(&params, &stats)? };
        Ok(Self { params, stats, network })
    }
}

impl FineTuner {
    /// Whether a run can be fine-tuned.
    ///
    /// # Errors
    /// A run that is fine-tuned already, or over bits.
    pub fn check(run: &Checkpoint) -> Result<()> {
        if run.config.fine_tuning.is_some() {
            return Err(Error::Usage("the run is fine-tuned already; start from the run that it came from".into()));
        }
        if run.config.schedule.learned().is_some() {
            return Err(Error::Usage(
                "a run whose schedule is learned cannot be fine-tuned: its variances are learned for its network; train \
                 it longer, or train one with another --schedule"
                    .into(),
            ));
        }
        if run.config.process.is_binomial() {
            return Err(Error::Usage(
                "a run of the binomial process cannot be fine-tuned: no gradient passes bits that are drawn; train it \
                 longer, or on the terms of the bound (--weighting variational)"
                    .into(),
            ));
        }
        Ok(())
    }

    /// About how many bytes a step of a fine-tuning of `run` takes.
    ///
    /// # Errors
    /// Numbers out of range, or plans that do not fit.
    pub fn step_bytes(run: &Checkpoint, tuning: &FineTuning) -> Result<u64> {
        tuning.check()?;
        let graph = run.config.graph()?;
        let chains = match tuning.matching > 0.0 {
            true => run.config.plans(&tuning.plans)?,
            false => vec![],
        };
        let evaluations = |plan: &NamedPlan| chain_count(tuning, plan) * plan.steps.len().min(chain::RECORDED);
        let images = chains.iter().map(evaluations).max().unwrap_or(0).max(tuning.batch);
        Ok(step_bytes(&graph, images))
    }

    /// A fine-tuning of `run` at its start; trains the critics, of which `on_critic` hears.
    ///
    /// # Errors
    /// A run that is fine-tuned already, numbers out of range, plans that do not fit, or images that are all equal.
    pub fn new(run: &Checkpoint, data: &Dataset, tuning: FineTuning, on_critic: impl FnMut(u64, u64)) -> Result<Self> {
        Self::check(run)?;
        tuning.check()?;
        let teacher = Teacher::new(&run.config, run.ema.clone(), run.stats.clone(), run.locals.clone())?;
        let config = Config { fine_tuning: Some(tuning.clone()), ..run.config.clone() };
        let values = run.config.graph()?.folded_params(&config.graph()?, &run.ema, &run.stats)?;
        // Before the critics are trained: what cannot be used is refused at once.
        config.plans(&tuning.plans)?;
        let critics = match tuning.matching > 0.0 {
            true => critics::train(data, tuning.critic_epochs, tuning.seed, on_critic)?,
            false => vec![],
        };
        Self::assembled(config, tuning, data, (teacher, critics, values))
    }

    /// A fine-tuning at its start from its parts.
    pub(super) fn assembled(
        config: Config,
        tuning: FineTuning,
        data: &Dataset,
        (teacher, critics, values): (Teacher, Vec<Critic>, Vec<f32>),
    ) -> Result<Self> {
        let plans = config.plans(&tuning.plans)?;
        let nothing = || vec![Seen::default(); critics.len()];
        Ok(Self {
            seen: plans.iter().map(|_| [nothing(), nothing()]).collect(),
            rounding: None,
            teacher,
            draws: Draws::new(&Config { batch: tuning.batch, seed: tuning.seed, ..config.clone() }),
            local: config.local_mel()?,
            labels: data.labels.clone().filter(|_| config.classes() > 0),
            params: Parameters::new(values.clone()),
            adam: Adam::new([0.9, 0.99]),
            ema: values,
            losses: vec![],
            calibration: Calibration::default(),
            graph: config.graph()?,
            config,
            tuning,
            plans,
            critics,
        })
    }

    /// What it does.
    pub fn tuning(&self) -> &FineTuning {
        &self.tuning
    }

    /// Steps done.
    pub fn step(&self) -> u64 {
        self.losses.len() as u64
    }

    /// The plans, in the order of [`Figures::plan`].
    pub fn plans(&self) -> &[NamedPlan] {
        &self.plans
    }

    /// One step, with the learning rate for `progress` in [0, 1].
    ///
    /// # Errors
    /// A loss or gradient that is not a number.
    pub fn tune_step(&mut self, data: &Dataset, progress: f64) -> Result<Figures> {
        let step = self.step();
        let fail = |reason: String| Error::Training { step: step + 1, reason };
        if self.tuning.quantize && step.is_multiple_of(CALIBRATION_STEPS) {
            let locals = self.teacher.network.locals.clone();
            let network = Network { locals, ..self.graph.fold(self.params.values(), &[])? };
            let ranges = calibrate(&network, &self.plans, self.tuning.seed, Default::default())?;
            let rounding = Rounding::new(&network.graph, &ranges)?;
            self.rounding = Some((ranges, rounding));
        }
        let mut rounded = self.params.values().to_vec();
        if let Some((_, rounding)) = &self.rounding {
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
            let loss = self.matching(data, step, &mut tape, &rounded, &mut figures);
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

    /// Rounds of class-prior calibration in all: one measures the network as it is, each other one what was moved
    /// before it. There are none without critics that tell classes, or for a network that draws without classes.
    pub fn calibration_rounds(&self) -> usize {
        let classes = self.labels.is_some() && self.critics.first().is_some_and(|critic| !critic.heads().is_empty());
        match classes && self.tuning.class_prior_rounds > 0 {
            true => self.tuning.class_prior_rounds + 1,
            false => 0,
        }
    }

    /// Rounds of class-prior calibration that are done.
    pub fn calibrated(&self) -> usize {
        self.calibration.rounds
    }

    /// The next round of class-prior calibration, for which the critics tell the classes; `None` when all are done. The
    /// last thing to do.
    ///
    /// # Errors
    /// None for a fine-tuning made by this type.
    pub fn calibrate_class_prior(&mut self) -> Result<Option<Round>> {
        let rounds = self.calibration_rounds();
        if self.calibration.rounds >= rounds {
            return Ok(None);
        }
        let how = (self.tuning.class_prior_images, self.tuning.seed, self.calibration.rounds + 1 == rounds);
        self.calibration.round(&self.graph, &mut self.ema, &self.plans, &self.critics, how).map(Some)
    }

    /// Whether there is nothing left to do.
    pub fn is_finished(&self) -> bool {
        self.step() >= self.tuning.steps && self.calibration.rounds >= self.calibration_rounds()
    }

    fn learning_rate(&self, progress: f64) -> f64 {
        let rise = (20.0 * progress).min(1.0);
        self.tuning.lr * rise * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos())
    }

    fn distillation(&mut self, data: &Dataset, step: u64, tape: &mut Tape, rounded: &Parameters) -> Result<Loss> {
        let (draw, teacher) = (self.draws.draw(data, step), &self.teacher.network);
        let mut columns = Vec::with_capacity(draw.timesteps.len() * teacher.bias_columns());
        let spec = &self.graph.conditioning;
        for (t, rows) in draw.timesteps.iter().zip(draw.class_rows.chunks_exact(spec.axes())) {
            columns.extend(teacher.bias(*t, &spec.condition(rows))?);
        }
        let target = teacher.forward(&draw.x, &columns, &draw.locals, |_, _| ())?;
        let x = tape.hold(draw.x, draw.timesteps.len(), self.graph.input);
        let (states, timesteps, class_rows) = (x.clone(), &draw.timesteps[..], &draw.class_rows[..]);
        let times: Vec<f64> = timesteps.iter().map(|t| *t as f64).collect();
        let rounding = self.rounding.as_ref().map(|r| &r.1);
        let local = self.graph.local().map(|shape| tape.hold(draw.locals, times.len(), shape));
        let batch = Batch { x: (x, false), local, timesteps: &times, class_rows, plan_row: 0, rounding };
        let output = forward(&self.graph, tape, rounded, batch);
        Ok(self.draws.process().loss(tape, &output.f, states.values(), &target, timesteps))
    }

    fn matching(
        &mut self,
        data: &Dataset,
        step: u64,
        tape: &mut Tape,
        rounded: &Parameters,
        figures: &mut Figures,
    ) -> Loss {
        let mut rng = ChaCha8Rng::seed_from_u64(self.tuning.seed);
        rng.set_stream(u64::MAX / 2 + step);
        let index = (step % self.plans.len() as u64) as usize;
        let plan = &self.plans[index];
        let images = chain_count(&self.tuning, plan);
        // Classes are as frequent as in the data.
        let spec = &self.graph.conditioning;
        let classes = self.labels.as_ref().map(|labels| -> Vec<u8> {
            (0..images).flat_map(|_| labels.of(rng.random_range(0..labels.len()))).copied().collect()
        });
        let turn = (step / self.plans.len() as u64) % UNCONDITIONAL;
        let classes = classes.filter(|_| turn < UNCONDITIONAL - 1);
        let row = |i: usize| {
            let class = classes.as_ref().map(|classes| usize::from(classes[i]));
            spec.row(i % spec.axes(), class)
        };
        let rows: Vec<usize> = (0..images * spec.axes()).map(row).collect();
        let rounding = self.rounding.as_ref().map(|r| &r.1);
        let followed = self.local.as_ref().map(|local| {
            let images = (0..images).flat_map(|_| data.image(rng.random_range(0..data.len())).into_owned());
            tape.hold(local.of(&images.collect::<Vec<f32>>()).into(), rows.len() / spec.axes(), local.shape())
        });
        let drawn = chain::Drawn { plan, class_rows: &rows, local: followed.as_ref() };
        let samples = chain::record(tape, &self.graph, rounded, rounding, drawn, &mut rng);
        let unconditional = classes.is_none();
        let (count, measure) = (self.critics.len() as f64, self.tuning.distance.into());
        let mut gradients = vec![];
        for (critic, seen) in self.critics.iter().zip(&mut self.seen[index][usize::from(unconditional)]) {
            let weight = (self.tuning.class_weight * if unconditional { SHARES_WEIGHT } else { 1.0 }) as f32;
            let class_loss = ClassLoss { weight, confidence: self.tuning.class_confidence };
            let classes = classes.as_deref().filter(|_| !critic.heads().is_empty());
            let found = critic.compare(tape, &samples, classes, seen, measure, class_loss);
            figures.distance += found.distance / count;
            figures.class_loss += found.class_loss / count;
            gradients.extend(found.gradients);
        }
        (figures.plan, figures.conditional) = (index, !unconditional);
        gradients.iter_mut().flat_map(|(_, g)| g.iter_mut()).for_each(|g| *g /= count as f32);
        if let (Some(local), Some(asked)) = (&self.local, &followed) {
            let (distance, (mel, mut gradient)) = following::distance(tape, local, &samples, asked.values());
            gradient.iter_mut().for_each(|g| *g *= FOLLOWING_WEIGHT);
            figures.distance += f64::from(FOLLOWING_WEIGHT) * distance;
            gradients.push((mel, gradient));
        }
        Loss::of_gradients(tape, figures.distance, gradients)
    }
}

/// The number of chains of a plan that a step runs.
fn chain_count(tuning: &FineTuning, plan: &NamedPlan) -> usize {
    (tuning.evaluations / plan.steps.len()).max(SMALLEST_BATCH)
}
