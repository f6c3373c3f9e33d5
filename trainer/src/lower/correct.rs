//! Bias correction (Nagel et al. 2019, section 4.2, measured): rounding shifts the mean of a channel a little, and a
//! bias takes the shift back.
//!
//! Corrected is the network's output, for every timestep on its own: the float network and the integer network see the
//! same states, those of the plans' own trajectories, and the mean difference of each channel goes to the table of time
//! rows, which is read anyway.

use super::calibrate::conditions;
use super::fuse;
use crate::chain::{self, Batch};
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::recognition::local_mel::bytes;
use crate::steps::Steps;
use crate::{Error, Result};
use brownian::format::Element;
use brownian::host::{ChainMemory, OwnedModel};
use brownian::ops::Op;
use brownian::Model;
use rayon::prelude::*;

/// Evaluations of the network that one plan gets, about.
const EVALUATIONS: usize = 1500;

/// By time row of the file: what the integer network's output lacks on average, a channel of the layer that computes
/// it.
pub type OutputErrors = Vec<Vec<f32>>;

/// Measures how far the output of `file`, lowered from `network` with `plans`, is off at every step.
///
/// # Errors
/// What the float chain refuses, or a file of another network.
pub fn output_errors(network: &Network, plans: &[NamedPlan], file: &OwnedModel, seed: u64) -> Result<OutputErrors> {
    let model = file.model();
    let output = fuse::output_layer(&network.graph)?;
    let channels = network.nodes()[output].shape.channels;
    let rows = model.header().conditioning.time_rows as usize;
    let mut sums = vec![(0.0, vec![0.0; channels]); rows];
    let mut first = 0;
    for plan in plans {
        let found = model.plan(&plan.name).map(|found| Steps::of(&model, &found));
        let time_rows: Vec<u32> = found.iter().flat_map(Steps::rows).map(|(_, row)| row).collect();
        let count = (EVALUATIONS / plan.steps.len().max(1)).clamp(30, 150) / 3;
        for (classes, guidance) in conditions() {
            let batch = Batch { seed, first, count, classes, guidance };
            first += count as u32;
            let (mut states, mut outcome) = (Vec::new(), Ok(()));
            let locals = bytes(&network.locals_of(batch.first as usize, count)?);
            chain::float(network, plan, &batch, |step, layer, values| {
                if layer == 0 {
                    states = values.to_vec();
                }
                if layer != output || outcome.is_err() {
                    return;
                }
                let Some(&row) = time_rows.get(step) else { return };
                let Some((weight, sum)) = sums.get_mut(row as usize) else { return };
                *weight += count as f64;
                let pixels = network.nodes()[output].shape.pixels() as f64;
                values.iter().enumerate().for_each(|(i, v)| sum[i % channels] += f64::from(*v) / pixels);
                outcome = integer_means(&model, (&states, &locals), row, &batch, channels)
                    .map(|means| sum.iter_mut().zip(means).for_each(|(s, m)| *s -= m));
            })?;
            outcome?;
        }
    }
    let mean = |(weight, sum): (f64, Vec<f64>)| sum.iter().map(|s| (s / weight.max(1.0)) as f32).collect();
    Ok(sums.into_iter().map(mean).collect())
}

/// Σ over images of the mean over pixels of each channel of the layer that computes the output.
fn integer_means(
    model: &Model,
    (states, locals): (&[f32], &[i8]),
    row: u32,
    batch: &Batch,
    channels: usize,
) -> Result<Vec<f64>> {
    let wide = |op: &Op| op.macs() > 0 && op.output().element == Element::I16;
    let (number, tensor) = model
        .ops()
        .enumerate()
        .find(|(_, op)| wide(op))
        .map(|(i, op)| (i as u16, *op.output()))
        .ok_or_else(|| Error::Invalid("the model has no layer with a 16-bit output".into()))?;
    let values = model.header().input.values();
    let scale = f64::from(model.header().output_scale) / (tensor.values() / channels).max(1) as f64;
    let one = |memory: &mut ChainMemory, (i, x): (usize, &[f32])| {
        let condition = batch.condition(batch.first + i as u32, model.class_counts());
        let local = model.local_shape().map_or(&[][..], |shape| chain::local_of(locals, i as u32, shape));
        let mut means = vec![0.0; channels];
        let observe = |op: u16, arena: &[u8]| {
            if op == number {
                for (i, &value) in arena[tensor.range()].as_chunks::<2>().0.iter().enumerate() {
                    means[i % channels] += f64::from(i16::from_le_bytes(value)) * scale;
                }
            }
        };
        brownian::host::probe(model, condition, local, row, x, memory.split().0, observe)
            .map_err(|e| Error::Invalid(e.to_string()))?;
        Ok(means)
    };
    let each: Result<Vec<Vec<f64>>> =
        states.par_chunks(values).enumerate().map_init(|| ChainMemory::new(model), one).collect();
    let mut sums = vec![0.0; channels];
    each?.iter().for_each(|means| sums.iter_mut().zip(means).for_each(|(s, m)| *s += m));
    Ok(sums)
}
