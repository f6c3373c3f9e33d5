//! What a checkpoint holds of a fine-tuning that is not finished, so that it goes on to the same bits.
use super::class_prior::Calibration;
use super::critic::{Critic, Seen};
use super::critics;
use super::moments::Running;
use super::tuner::{FineTuner, Teacher};
use crate::data::Dataset;
use crate::lower::rounding::Rounding;
use crate::lower::Range;
use crate::run::{Checkpoint, Config, FineTuning, Tensors, Unfinished};
use crate::{Error, Result};

const TEACHER: &str = "teacher.params";
const TEACHER_STATS: &str = "teacher.stats";
const RANGES: &str = "ranges";
const BEST_TOTAL_VARIATION: &str = "class_prior.total_variation";
const BEST_ROW: &str = "class_prior.row";

fn critic_name(i: usize) -> String {
    format!("critic.{i}")
}

/// The name of the moments of plan `plan`, with classes or without, in the features of a critic.
fn seen_name(plan: usize, unconditional: usize, critic: usize, part: &str) -> String {
    format!("seen.{plan}.{}.{critic}.{part}", if unconditional == 1 { "unconditional" } else { "conditional" })
}

impl FineTuner {
    /// What a run's folder holds of this fine-tuning; until it is finished, with all that it needs to go on.
    ///
    /// # Errors
    /// Out of memory.
    pub fn checkpoint(&mut self) -> Result<Checkpoint> {
        let unfinished = match self.is_finished() {
            true => None,
            false => Some(Unfinished { calibration_rounds: self.calibration.rounds, state: self.state() }),
        };
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
            locals: self.teacher.network.locals.clone(),
            seconds: 0.0,
            unfinished,
            packed_at: None,
        })
    }

    fn state(&self) -> Tensors {
        let mut state = Tensors::default();
        let mut put = |name: String, values: &[f32]| state.put(name, &[values.len()], values);
        put(TEACHER.into(), &self.teacher.params);
        put(TEACHER_STATS.into(), &self.teacher.stats);
        for (i, params) in self.critics.iter().filter_map(Critic::learned).enumerate() {
            put(critic_name(i), params);
        }
        if let Some((ranges, _)) = &self.rounding {
            put(RANGES.into(), &ranges.iter().flat_map(|r| [r.min, r.max]).collect::<Vec<f32>>());
        }
        if let Some((total_variation, row)) = &self.calibration.best {
            put(BEST_ROW.into(), row);
            state.put_double(BEST_TOTAL_VARIATION, &[1], &[*total_variation]);
        }
        for (plan, kinds) in self.seen.iter().enumerate() {
            for (unconditional, seen) in kinds.iter().enumerate() {
                for (critic, seen) in seen.iter().enumerate() {
                    let name = |part: &str| seen_name(plan, unconditional, critic, part);
                    if let Some((mean, second, weight)) = seen.moments.state() {
                        let len = mean.len();
                        state.put_double(name("mean"), &[len], mean);
                        state.put_double(name("second"), &[len, len], second);
                        state.put_double(name("weight"), &[1], &[weight]);
                    }
                    if !seen.shares.is_empty() {
                        state.put_double(name("shares"), &[seen.shares.len()], &seen.shares);
                    }
                }
            }
        }
        state
    }

    /// A fine-tuning as it was when `checkpoint` was made, on the same data.
    ///
    /// # Errors
    /// A run that is not fine-tuned or finished, or a state that does not belong to it.
    pub fn from_checkpoint(checkpoint: Checkpoint, data: &Dataset) -> Result<Self> {
        let Checkpoint { config, params, adam_first, adam_second, ema, losses, unfinished, locals, .. } = checkpoint;
        let tuning = config.fine_tuning.clone();
        let tuning =
            tuning.ok_or_else(|| Error::Usage("the run is not fine-tuned; nothing can be continued".into()))?;
        tuning.check()?;
        let unfinished = unfinished.ok_or_else(|| Error::Usage("the fine-tuning is finished".into()))?;
        let state = &unfinished.state;
        let original = Config { fine_tuning: None, ..config.clone() };
        let graph = original.graph()?;
        let vector = |name: &str, len: usize| state.get(name, &[len]);
        let teacher = vector(TEACHER, graph.params.len())?;
        let teacher = Teacher::new(&original, teacher, vector(TEACHER_STATS, graph.stats.len())?, locals)?;
        let critics = critics_of(state, data, &tuning)?;
        let mut tuner = Self::assembled(config, tuning, data, (teacher, critics, params))?;
        let [first, second] = tuner.adam.moments(&tuner.params).map_err(|e| Error::Invalid(e.to_string()))?;
        first.copy_from_slice(&adam_first);
        second.copy_from_slice(&adam_second);
        (tuner.ema, tuner.losses) = (ema, losses);
        if state.contains(RANGES) {
            let ranges = vector(RANGES, 2 * tuner.graph.nodes.len())?;
            let ranges: Vec<Range> =
                ranges.as_chunks::<2>().0.iter().map(|[min, max]| Range { min: *min, max: *max }).collect();
            let network = tuner.graph.fold(tuner.params.values(), &[])?;
            tuner.rounding = Some((ranges.clone(), Rounding::new(&network.graph, &ranges)?));
        }
        tuner.calibration = Calibration { rounds: unfinished.calibration_rounds, best: None };
        if state.contains(BEST_ROW) {
            let total_variation = state.get_double(BEST_TOTAL_VARIATION, &[1])?[0];
            let spec = &tuner.graph.conditioning;
            let rows = vector(BEST_ROW, spec.axes() * spec.columns)?;
            tuner.calibration.best = Some((total_variation, rows));
        }
        tuner.restore_seen(state)?;
        Ok(tuner)
    }

    /// Whether `run` is what this fine-tuning started from.
    pub fn came_from(&self, run: &Checkpoint) -> bool {
        self.teacher.params == run.ema && self.teacher.stats == run.stats
    }

    fn restore_seen(&mut self, state: &Tensors) -> Result<()> {
        for (plan, kinds) in self.seen.iter_mut().enumerate() {
            for (unconditional, seen) in kinds.iter_mut().enumerate() {
                for (i, (seen, critic)) in seen.iter_mut().zip(&self.critics).enumerate() {
                    let name = |part: &str| seen_name(plan, unconditional, i, part);
                    let (len, classes) = (critic.target(unconditional == 0).directions(), critic.shares().len());
                    if state.contains(&name("mean")) {
                        let mean = state.get_double(&name("mean"), &[len])?;
                        let second = state.get_double(&name("second"), &[len, len])?;
                        let weight = state.get_double(&name("weight"), &[1])?[0];
                        *seen = Seen { moments: Running::restore(mean, second, weight), shares: vec![] };
                    }
                    if state.contains(&name("shares")) {
                        seen.shares = state.get_double(&name("shares"), &[classes])?;
                    }
                }
            }
        }
        Ok(())
    }
}

/// The critics with what they had learned.
fn critics_of(state: &Tensors, data: &Dataset, tuning: &FineTuning) -> Result<Vec<Critic>> {
    if tuning.matching == 0.0 {
        return Ok(vec![]);
    }
    let params = critics::sizes(data)?.into_iter().enumerate().map(|(i, len)| state.get(&critic_name(i), &[len]));
    critics::restore(data, params.collect::<Result<_>>()?, tuning.seed)
}
