//! From a folded float network to a model file: quantization of weights and activations, fusion of
//! layers into ops, placement.
//!
//! Ranges of activations come from calibration (`calibrate`), one a layer. A value of the network is a
//! list of parts that stand one after the other along the channels, each a tensor that may have to be
//! read enlarged; so concatenation and enlargement cost nothing where a convolution reads them.

mod builder;
pub mod calibrate;
mod carry;
pub mod correct;
mod fuse;
mod layer;
pub mod moments;
mod ops;
mod quantize;
pub mod rounding;
mod scale;
mod tables;

pub use builder::{arena_lower_bound, BuildError, Frame, ModelBuilder};
pub use layer::{FloatLayer, IntegerLayer};
pub use ops::Accumulator;
pub use quantize::{quantize, quantize_apart, Choices, WeightBits};
pub use scale::{Quantization, Range};

use crate::network::Network;
use crate::plans::NamedPlan;
use crate::{Error, Result};
use brownian::format::Element;
use ops::Lowering;

/// What a model file is made from.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Where it comes from: TOML.
    pub provenance: &'a str,
    /// The folded network.
    pub network: &'a Network,
    /// Range of every layer's result over the calibration trajectories.
    pub ranges: &'a [Range],
    /// Plans; the time rows of their steps are set here.
    pub plans: &'a [NamedPlan],
}

/// What has been measured for an export, beyond the ranges.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Moments of what layers read; a layer that has them gets four bits a weight. One a layer of the network, or none at all.
    pub moments: Vec<Option<moments::Moments>>,
    /// What is added to the channels of the output's layer, one row a time row of the file; empty for nothing.
    pub output_errors: correct::OutputErrors,
}

/// Quantizes a network with eight-bit weights and no corrections and writes it as a model file.
///
/// # Errors
/// As [`lower_with`].
pub fn lower(export: &Export) -> Result<Vec<u8>> {
    lower_with(export, &Measured::default())
}

/// Quantizes a network and writes it as a model file.
///
/// # Errors
/// A network that does not end in a convolution or dense layer (behind moves), numbers that do not fit
/// the format, or no plan.
pub fn lower_with(export: &Export, measured: &Measured) -> Result<Vec<u8>> {
    assemble(export, measured, false).map(|(file, _)| file)
}

/// As [`lower_with`]; where `apart`, every activation is an op of its own, so that what it is taken of can be seen in the arena. Both
/// files compute the same. Also returns where the results of layers with weights lie.
fn assemble(export: &Export, measured: &Measured, apart: bool) -> Result<(Vec<u8>, Vec<Accumulator>)> {
    let Export { network, ranges, .. } = *export;
    if ranges.len() != network.layers.len() {
        return Err(Error::Invalid(format!(
            "{} ranges were calibrated for {} layers",
            ranges.len(),
            network.layers.len()
        )));
    }
    if export.plans.is_empty() {
        return Err(Error::Usage("a model needs at least one plan".into()));
    }
    let mut plans = export.plans.to_vec();
    let rows = time_rows(network, &mut plans);
    let row_count = rows.len();
    let mut biases = tables::BiasColumns::new(network, rows)?;
    let mut steps = fuse::fuse(network)?;
    if !measured.output_errors.is_empty() {
        if measured.output_errors.len() != row_count {
            let found = measured.output_errors.len();
            return Err(Error::Invalid(format!("{found} rows of output errors for {row_count} different steps")));
        }
        let output = fuse::output_layer(network)?;
        let first = biases.append(&measured.output_errors);
        steps.iter_mut().filter(|s| s.layer == output).for_each(|s| s.step_bias = Some(first));
    }

    if apart {
        steps = steps.into_iter().flat_map(fuse::Step::apart).collect();
    }
    let mut lowering = Lowering::new(network, ranges, biases, &measured.moments);
    let input = lowering.input();
    for step in &steps {
        lowering.step(step)?;
    }
    let (output, output_scale) = lowering.output()?;
    debug_assert_eq!(output.element, Element::I16);
    let (mut builder, biases, accumulators) = lowering.into_parts();
    let conditioning = biases.write(&mut builder);
    plans.into_iter().for_each(|plan| builder.plan(plan));
    let frame = Frame {
        name: export.name,
        provenance: export.provenance,
        input: (input.0, (1.0 / input.1.scale) as f32),
        output: (output, output_scale as f32),
        conditioning,
    };
    let file = builder.finish(frame).map_err(|e| Error::Invalid(format!("{}: {e}", export.name)))?;
    Ok((file, accumulators))
}

/// The rows of channel biases of all plans, by rising timestep, equal rows once; tells every step its row.
fn time_rows(network: &Network, plans: &mut [NamedPlan]) -> Vec<Vec<f32>> {
    let mut rows: Vec<(u32, Vec<f32>)> = Vec::new();
    let of_plans: Vec<Vec<Vec<f32>>> = plans.iter().map(|plan| network.plan_bias(plan)).collect();
    for (plan, biases) in plans.iter().zip(&of_plans) {
        rows.extend(plan.steps.iter().map(|s| s.timestep).zip(biases.iter().cloned()));
    }
    // Stable, so that rows of one timestep stay in the order of the plans.
    rows.sort_by_key(|row| row.0);
    let mut unique: Vec<(u32, Vec<f32>)> = Vec::new();
    for row in rows {
        if !unique.iter().rev().take_while(|u| u.0 == row.0).any(|u| u.1 == row.1) {
            unique.push(row);
        }
    }
    for (plan, biases) in plans.iter_mut().zip(of_plans) {
        for (step, bias) in plan.steps.iter_mut().zip(biases) {
            step.time_row = unique.iter().position(|u| u.0 == step.timestep && u.1 == bias).unwrap_or_default() as u32;
        }
    }
    unique.into_iter().map(|row| row.1).collect()
}
