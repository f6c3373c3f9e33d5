//! One evaluation of a network for given states: of the float network, or of the integer network through the runtime.
use crate::network::Network;
use crate::steps::Steps;
use crate::{Error, Result};
use brownian::host::{ChainMemory, OwnedModel};
use brownian::{Condition, Model, Plan};
use rayon::prelude::*;
use std::collections::HashMap;

/// Images that the float network computes together.
const FLOAT_BATCH: usize = 128;

/// What is evaluated.
#[derive(Clone, Debug)]
pub enum Denoiser<'a> {
    /// The float network, outside the plans that it was tuned for.
    Float(&'a Network),
    /// A model, at the timesteps of one of its plans: a timestep's biases may differ from plan to plan.
    Integer {
        /// The model.
        model: Box<Model<'a>>,
        /// The row of time biases of every timestep of the plan.
        rows: HashMap<usize, u32>,
    },
}

impl<'a> Denoiser<'a> {
    /// A model at the timesteps of a plan; of a timestep that the plan visits twice, the first step counts.
    ///
    /// # Errors
    /// A plan that the model does not have.
    pub fn integer(file: &'a OwnedModel, plan: &str) -> Result<Self> {
        let model = file.model();
        let steps: Vec<_> = Steps::of(&model, &file.plan(plan)?).rows().collect();
        let rows = steps.iter().rev().map(|(timestep, row)| (*timestep as usize, *row)).collect();
        Ok(Self::Integer { model: Box::new(model), rows })
    }

    /// The output F for every image of `x` (NHWC), each with its timestep and its classes: one an axis, or none.
    ///
    /// # Errors
    /// A timestep that the plan does not visit, or a class that the network does not know.
    pub fn outputs(&self, x: &[f32], conditions: &[(usize, &[u8])]) -> Result<Vec<f32>> {
        let len = x.len() / conditions.len().max(1);
        match self {
            Self::Float(network) => {
                let mut all = Vec::with_capacity(x.len());
                for (x, conditions) in x.chunks(FLOAT_BATCH * len).zip(conditions.chunks(FLOAT_BATCH)) {
                    let mut columns = Vec::new();
                    for (t, classes) in conditions {
                        let classes: Vec<_> = classes.iter().map(|class| Some(usize::from(*class))).collect();
                        columns.extend(network.bias(*t, &classes)?);
                    }
                    all.extend(network.forward(x, &columns, &[], |_, _| ())?);
                }
                Ok(all)
            }
            Self::Integer { model, rows } => {
                let mut all = vec![0.0; x.len()];
                let images = all.par_chunks_exact_mut(len).zip(x.par_chunks_exact(len)).zip(conditions);
                images.try_for_each_init(
                    || ChainMemory::new(model),
                    |memory, ((out, x), (t, classes))| {
                        let missing = || Error::Invalid(format!("the plan does not visit timestep {t}"));
                        let row = *rows.get(t).ok_or_else(missing)?;
                        let with =
                            |condition: Condition, (axis, class): (usize, &u8)| condition.with(axis, u16::from(*class));
                        let condition = classes.iter().enumerate().fold(Condition::NONE, with);
                        let (arena, _) = memory.split();
                        brownian::host::probe(model, condition, &[], row, x, arena, |_, _| ())
                            .map_err(|e| Error::Usage(e.to_string()))?;
                        read_output(model, arena, out);
                        Ok::<(), Error>(())
                    },
                )?;
                Ok(all)
            }
        }
    }
}

/// Whether a plan visits all of the timesteps 1..=`timesteps`.
pub fn visits_all(plan: &Plan, timesteps: usize) -> bool {
    let visited: std::collections::HashSet<u32> = (0..plan.len()).filter_map(|i| plan.timestep(i)).collect();
    (1..=timesteps as u32).all(|t| visited.contains(&t))
}

/// The network's output F as it lies in the arena after an evaluation.
pub fn read_output(model: &Model, arena: &[u8], out: &mut [f32]) {
    let header = model.header();
    let values = arena[header.output.range()].as_chunks::<2>().0;
    out.iter_mut().zip(values).for_each(|(out, v)| *out = f32::from(i16::from_le_bytes(*v)) * header.output_scale);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::{self, Batch, Classes};
    use brownian::process::gaussian;

    /// The first step of a chain, computed from an evaluation, is that of the sampler to the bit.
    #[test]
    fn an_evaluation_is_that_of_the_chain() {
        let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28-nano.brn")).unwrap();
        let model = file.model();
        let plan = model.plan("fast5").unwrap();
        let batch = Batch { seed: 4, first: 0, count: 3, classes: Classes::Cycle, guidance: brownian::Guidance::PLAIN };
        let mut memory = ChainMemory::new(&model);
        for image in 0..3u32 {
            let condition = batch.condition(image, model.class_counts());
            let (arena, state) = memory.split();
            let mut sampler = brownian::Sampler::builder(&model, plan)
                .condition(condition)
                .seed(4)
                .image(image)
                .start(arena, state)
                .unwrap();
            let mut x = sampler.x().to_vec();
            assert!(sampler.step());
            let step = plan.step(0).unwrap();
            let conditions = [(step.timestep as usize, &[image as u8][..])];
            let output = Denoiser::integer(&file, "fast5").unwrap().outputs(&x, &conditions).unwrap();
            let x0_hat = |i: usize, x: f32| gaussian::x0_hat(&step, plan.clip(), x, output[i]);
            gaussian::update::<f32, f32>(&step, &mut x, &mut [], x0_hat, |_| [0.0; 2]);
            assert_eq!(x, sampler.x());
        }
        assert_eq!(chain::integer(&model, plan, &batch, || ()).unwrap().len(), 3 * model.sample_len());
        let missing = Denoiser::integer(&file, "fast5").unwrap().outputs(&vec![0.0; model.sample_len()], &[(77, &[])]);
        assert!(missing.unwrap_err().to_string().contains("timestep 77"));
    }
}
