//! From a folded float network to a model file: quantization of weights and activations, fusion of
//! layers into ops, placement.
//!
//! Ranges of activations come from calibration (`calibrate`), one a layer. A value of the network is a
//! list of parts that stand one after the other along the channels, each a tensor that may have to be
//! read enlarged; so concatenation and enlargement cost nothing where a convolution reads them.

mod builder;
pub mod calibrate;
mod fuse;
mod layer;
mod ops;
mod options;
pub mod plans;
pub mod rounding;
mod scale;
mod tables;

pub use builder::{arena_lower_bound, BuildError, Frame, ModelBuilder, NamedPlan};
pub use layer::{FloatLayer, IntegerLayer};
pub use ops::Accumulator;
pub use options::Options;
pub use scale::{Quantization, Range};

use crate::network::Network;
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

/// Quantizes a network with the usual [`Options`] and writes it as a model file.
///
/// # Errors
/// As [`lower_with`].
pub fn lower(export: &Export) -> Result<Vec<u8>> {
    lower_with(export, &Options::default())
}

/// Quantizes a network and writes it as a model file.
///
/// # Errors
/// A network that does not end in a convolution or dense layer (behind moves), numbers that do not fit
/// the format, or no plan.
pub fn lower_with(export: &Export, options: &Options) -> Result<Vec<u8>> {
    assemble(export, options, false).map(|(file, _)| file)
}

/// Like [`lower_with`], but every activation is an op of its own, so that what it is taken of can be seen in the arena; also
/// returns where. Both files compute the same.
///
/// # Errors
/// As [`lower_with`].
pub fn lower_apart(export: &Export, options: &Options) -> Result<(Vec<u8>, Vec<Accumulator>)> {
    assemble(export, options, true)
}

fn assemble(export: &Export, options: &Options, apart: bool) -> Result<(Vec<u8>, Vec<Accumulator>)> {
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
    let biases = tables::BiasColumns::new(network, time_rows(network, &mut plans))?;

    let mut lowering = Lowering::new(network, ranges, biases, options);
    let input = lowering.input();
    let mut steps = fuse::fuse(network)?;
    if apart {
        steps = steps.into_iter().flat_map(fuse::Step::apart).collect();
    }
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
