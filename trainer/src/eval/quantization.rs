//! What quantization changes: errors of the integer network against the float one, layer by layer and step by step.
use super::denoiser::read_output;
use super::source::{Run, Source};
use crate::chain::{self, Batch};
use crate::graph::NodeId;
use crate::lower::Accumulator;
use crate::plans::NamedPlan;
use crate::steps::Steps;
use crate::{export, Error, Result};
use brownian::format::Element;
use brownian::host::{ChainMemory, OwnedModel};
use brownian::with_state_element;
use rayon::prelude::*;
use serde::Serialize;

/// The errors of one plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlanError {
    /// The plan's name.
    pub plan: String,
    /// Chains that they were measured on.
    pub count: usize,
    /// One entry a step.
    pub steps: Vec<StepError>,
    /// One entry a layer with weights, over all steps; empty for a model file that was not exported here.
    pub layers: Vec<LayerError>,
}

/// The errors of a step, relative: root of the mean square of the difference over that of the float value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StepError {
    /// Timestep.
    pub timestep: u32,
    /// Of ε̂, or of bits of 2·p̂ − 1, when both networks see the state of the float chain.
    pub eps_hat: f64,
    /// Of x behind the step, when each network runs its own chain from the same noise.
    pub x: f64,
}

/// The error of a layer's result before its activation, when both networks see the states of the float chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LayerError {
    /// The layer's name.
    pub name: String,
    /// Relative error, as in [`StepError`]; it includes what earlier layers did.
    pub relative: f64,
    /// Signal to quantization noise in decibels: −20·log10 of the relative error.
    pub signal_to_noise: f64,
}

/// Σ difference² and Σ value².
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    difference: f64,
    value: f64,
}

impl Sums {
    fn add(&mut self, float: f32, integer: f32) {
        self.difference += (f64::from(float) - f64::from(integer)).powi(2);
        self.value += f64::from(float).powi(2);
    }

    fn relative(&self) -> f64 {
        // A signal of nothing but zeros has no error unless the other one differs.
        (self.difference / self.value.max(f64::MIN_POSITIVE)).sqrt().min(1e3)
    }
}

/// A network whose ops can be observed: the file, and the ops with weights.
struct Probed<'a> {
    file: &'a OwnedModel,
    accumulators: &'a [Accumulator],
}

/// What the integer network made of a batch: F, and the results of the ops with weights, image after image.
struct Probes {
    output: Vec<f32>,
    layers: Vec<Vec<f32>>,
}

impl Probed<'_> {
    /// Evaluates the states `x` of a batch with a row of time biases.
    fn probe(&self, x: &[f32], locals: &[i8], time_row: u32, batch: &Batch) -> Result<Probes> {
        let model = &self.file.model();
        let ops: Vec<_> = model.ops().collect();
        let images: Result<Vec<Probes>> = x
            .par_chunks(model.sample_len())
            .enumerate()
            .map_init(
                || ChainMemory::new(model),
                |memory, (i, x)| {
                    let image = batch.first + i as u32;
                    let condition = batch.condition(image, model.class_counts());
                    let local = model.local_shape().map_or(&[][..], |shape| chain::local_of(locals, image, shape));
                    let (arena, _) = memory.split();
                    let mut layers = Vec::with_capacity(self.accumulators.len());
                    brownian::host::probe(model, condition, local, time_row, x, arena, |op, arena| {
                        let found = self.accumulators.get(layers.len()).filter(|a| a.op == usize::from(op));
                        layers.extend(
                            found.map(|a| real_values(a, ops[a.op].output(), model.header().output_scale, arena)),
                        );
                    })
                    .map_err(|e| Error::Usage(e.to_string()))?;
                    let mut output = vec![0.0; model.sample_len()];
                    read_output(model, arena, &mut output);
                    Ok(Probes { output, layers })
                },
            )
            .collect();
        let mut all = Probes { output: vec![], layers: vec![vec![]; self.accumulators.len()] };
        for Probes { output, layers } in images? {
            all.output.extend(output);
            all.layers.iter_mut().zip(layers).for_each(|(all, layer)| all.extend(layer));
        }
        Ok(all)
    }
}

/// The real values of an op's result.
fn real_values(op: &Accumulator, tensor: &brownian::format::Tensor, output_scale: f32, arena: &[u8]) -> Vec<f32> {
    let bytes = &arena[tensor.range()];
    if tensor.element == Element::I8 {
        return bytes.iter().map(|b| op.quantization.real(*b as i8) as f32).collect();
    }
    bytes.as_chunks::<2>().0.iter().map(|b| f32::from(i16::from_le_bytes(*b)) * output_scale).collect()
}

/// Measures every plan of a source on `batch`.
///
/// # Errors
/// A source without a float network.
pub fn measure(source: &Source, batch: &Batch) -> Result<Vec<PlanError>> {
    let run = source.run.as_ref().ok_or_else(|| Error::Usage("a model file holds no float network".into()))?;
    let apart = match &source.exported {
        Some(texts) => {
            let lowered = export::export_apart(&run.checkpoint, texts, &Default::default())?;
            Some((OwnedModel::new(&lowered.file)?, lowered.accumulators))
        }
        None => None,
    };
    let probed = match &apart {
        Some((file, accumulators)) => Probed { file, accumulators },
        None => Probed { file: &source.integer, accumulators: &[] },
    };
    source.plans.iter().map(|plan| measure_plan(source, run, &probed, plan, batch)).collect()
}

fn measure_plan(source: &Source, run: &Run, probed: &Probed, plan: &NamedPlan, batch: &Batch) -> Result<PlanError> {
    // A timestep's biases may differ from plan to plan: a step's row is that of its own plan.
    let steps = Steps::of(&probed.file.model(), &probed.file.plan(&plan.name)?);
    let time_rows: Vec<u32> = steps.rows().map(|(_, row)| row).collect();
    let timesteps: Vec<u32> = steps.timesteps().collect();
    let states = integer_states(source, plan, batch)?;
    let process = run.checkpoint.config.process();
    let mut errors = vec![Sums::default(); probed.accumulators.len()];
    let mut eps_hat = vec![Sums::default(); plan.steps.len()];
    let mut x = vec![Sums::default(); plan.steps.len()];
    let add_states = |sums: &mut Sums, step: usize, values: &[f32]| {
        values.iter().zip(&states[step]).for_each(|(float, integer)| sums.add(*float, *integer));
    };
    let mut probes: Result<Probes> = Err(Error::Invalid("the network has no layers".into()));
    let (mut state, last) = (Vec::new(), run.network.nodes().len() - 1);
    let end = chain::float(&run.network, plan, batch, |step, layer: NodeId, values| {
        if layer == 0 {
            probes = probed.probe(values, &source.locals, time_rows[step], batch);
            state = values.to_vec();
            if step > 0 {
                add_states(&mut x[step - 1], step - 1, values);
            }
        }
        let Ok(probes) = &probes else { return };
        for (i, accumulator) in probed.accumulators.iter().enumerate().filter(|(_, a)| a.requantized == layer) {
            debug_assert_eq!(probes.layers[i].len(), values.len(), "op {}", accumulator.op);
            values.iter().zip(&probes.layers[i]).for_each(|(float, integer)| errors[i].add(*float, *integer));
        }
        if layer == last {
            let estimate = |x: f32, f: f32| process.estimate(timesteps[step] as usize, x, f);
            for ((x, float), integer) in state.iter().zip(values).zip(&probes.output) {
                eps_hat[step].add(estimate(*x, *float), estimate(*x, *integer));
            }
        }
    })?;
    probes?;
    let steps = plan.steps.len();
    add_states(&mut x[steps - 1], steps - 1, &end);
    let step_errors = timesteps.iter().zip(eps_hat).zip(x);
    let layer_errors = probed.accumulators.iter().zip(errors);
    Ok(PlanError {
        plan: plan.name.clone(),
        count: batch.count,
        steps: step_errors
            .map(|((timestep, eps_hat), x)| StepError {
                timestep: *timestep,
                eps_hat: eps_hat.relative(),
                x: x.relative(),
            })
            .collect(),
        layers: layer_errors.map(|(accumulator, sums)| layer_error(run, accumulator, sums)).collect(),
    })
}

fn layer_error(run: &Run, accumulator: &Accumulator, sums: Sums) -> LayerError {
    let relative = sums.relative();
    LayerError {
        name: run.network.nodes()[accumulator.layer].name.clone(),
        relative,
        signal_to_noise: -20.0 * relative.max(1e-9).log10(),
    }
}

/// x behind every step of the integer chains, one row a step, image after image.
fn integer_states(source: &Source, plan: &NamedPlan, batch: &Batch) -> Result<Vec<Vec<f32>>> {
    let (model, plan, edit) = (source.integer.model(), source.integer.plan(&plan.name)?, source.edit());
    let chains: Result<Vec<Vec<f32>>> = with_state_element!(&model, Element => (0..batch.count as u32)
        .into_par_iter()
        .map_init(
            || ChainMemory::new(&model),
            |memory, i| {
                let image = batch.first + i;
                let mut states = Vec::with_capacity(plan.len() * model.sample_len());
                let mut sampler = edit.start::<Element>(&model, plan, batch, image, memory)?;
                while sampler.step() {
                    states.extend(sampler.values());
                }
                Ok(states)
            },
        )
        .collect());
    let chains = chains?;
    let row = |step: usize| {
        let part = step * model.sample_len()..(step + 1) * model.sample_len();
        chains.iter().flat_map(|chain| &chain[part.clone()]).copied().collect()
    };
    Ok((0..plan.len()).map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::Classes;
    use crate::data::Dataset;
    use crate::graph::Shape;
    use crate::run::{Checkpoint, Config, FineTuning};
    use brownian::Guidance;

    const SHAPE: Shape = Shape::new(12, 8, 3);

    /// A run that counts as tuned for plans whose rows of biases differ much, also where they share a timestep.
    fn tuned(texts: &[String]) -> Checkpoint {
        let data = Dataset {
            source: "none".into(),
            shape: SHAPE,
            images: vec![0.0; SHAPE.len()].into(),
            labels: None,
            sound: None,
        };
        let mut config = Config::new("tiny", &data);
        let original = config.graph().unwrap();
        config.fine_tuning = Some(FineTuning { plans: texts.to_vec(), ..FineTuning::USUAL });
        let graph = config.graph().unwrap();
        let (params, stats) = (original.params.init(4), original.stats.init(4));
        let mut values = original.folded_params(&graph, &params, &stats).unwrap();
        let table = graph.params.blocks[graph.conditioning.plan_table.unwrap()].range.clone();
        let row =
            |i: usize| ((i / graph.conditioning.columns) as f32 - 2.0) * if i.is_multiple_of(2) { 1.0 } else { -0.8 };
        values[table].iter_mut().enumerate().for_each(|(i, v)| *v = row(i));
        let nothing = vec![0.0; values.len()];
        Checkpoint {
            config,
            params: values.clone(),
            adam_first: nothing.clone(),
            adam_second: nothing,
            ema: values,
            stats: vec![],
            losses: vec![],
            validation: vec![],
            locals: vec![],
            seconds: 0.0,
            unfinished: None,
            packed_at: None,
        }
    }

    #[test]
    fn a_step_has_the_biases_of_its_own_plan() {
        let texts: Vec<String> = ["a=ddim:2", "b=ddim:4"].map(str::to_owned).to_vec();
        let checkpoint = tuned(&texts);
        let plans = checkpoint.config.plans(&texts).unwrap();
        let network = checkpoint.network().unwrap();
        let timesteps = |plan: usize| plans[plan].steps.timesteps().collect::<Vec<_>>();
        assert_eq!(timesteps(0)[1], timesteps(1)[2]);
        assert_ne!(network.plan_bias(&plans[0])[1], network.plan_bias(&plans[1])[2]);
        let integer = OwnedModel::new(&export::export(&checkpoint, &texts, &Default::default()).unwrap().file).unwrap();
        let config = Some(checkpoint.config.clone());
        let run = Some(Run { network, checkpoint });
        let source = Source { integer, run, config, plans, exported: Some(texts), locals: vec![] };
        let batch = Batch { seed: 1, first: 0, count: 4, classes: Classes::None, guidance: Guidance::PLAIN };
        for plan in measure(&source, &batch).unwrap() {
            assert!(plan.steps.iter().all(|step| step.eps_hat < 0.05), "{plan:?}");
            assert!(plan.layers.iter().all(|layer| layer.signal_to_noise > 10.0), "{plan:?}");
        }
    }
}
