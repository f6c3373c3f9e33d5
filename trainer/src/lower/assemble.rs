//! From a folded network with measured ranges to the bytes of a model file.
use super::axes;
use super::bias_columns::BiasColumns;
use super::builder::Frame;
use super::context::{narrow, Accumulator, Known, Lowering, Place};
use super::correct::OutputErrors;
use super::fuse;
use super::moments::Moments;
use super::scale::Range;
use super::step::Step;
use crate::data::Axis;
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::{Error, Result};
use brownian::format::{Conditioning, Element};
use brownian::MAX_OPS;

/// What a model file is made from.
#[derive(Clone, Debug)]
pub struct Export<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Where it comes from: TOML.
    pub provenance: &'a str,
    /// The axes of the labels; where there are none, those of the network are numbered.
    pub axes: &'a [Axis],
    /// The folded network.
    pub network: &'a Network,
    /// Range of every node's result over the calibration trajectories.
    pub ranges: &'a [Range],
    /// Plans; the time rows of their steps are set here.
    pub plans: &'a [NamedPlan],
}

/// What has been measured for an export, beyond the ranges.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// Moments of what layers read; a layer that has them gets four bits a weight. One a node of the network, or none
    /// at all.
    pub moments: Vec<Option<Moments>>,
    /// What is added to the channels of the output's layer, one row a time row of the file; empty for nothing.
    pub output_errors: OutputErrors,
}

/// A model file.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Its bytes.
    pub file: Vec<u8>,
    /// Its ops with weights, and where their results lie.
    pub accumulators: Vec<Accumulator>,
    /// What could not be kept as it is in the float network; each names its layer. For the user to read.
    pub warnings: Vec<String>,
}

/// Quantizes a network and writes it as a model file.
///
/// # Errors
/// A network that does not end in a convolution or dense layer (behind moves), numbers that do not fit
/// the format, or no plan. Errors of a layer name it.
pub fn lower(export: &Export, measured: &Measured) -> Result<Lowered> {
    assemble(export, measured, false)
}

/// As [`lower`]; where `apart`, every activation is an op of its own, so that what it is taken of can be seen in the
/// arena. Both files compute the same.
///
/// # Errors
/// As [`lower`].
pub fn assemble(export: &Export, measured: &Measured, apart: bool) -> Result<Lowered> {
    let Export { network, ranges, .. } = *export;
    let nodes = network.nodes();
    if ranges.len() != nodes.len() {
        return Err(Error::Invalid(format!("{} ranges were calibrated for {} layers", ranges.len(), nodes.len())));
    }
    if export.plans.is_empty() {
        return Err(Error::Usage("a model needs at least one plan".into()));
    }
    if let Some(plan) = export.plans.iter().find(|plan| plan.steps.len() > usize::from(u16::MAX)) {
        return Err(Error::Usage(format!(
            "plan {}: it has {} steps; a model file holds at most {}",
            plan.name,
            plan.steps.len(),
            u16::MAX
        )));
    }
    let bits = export.plans[0].steps.is_binomial();
    if export.plans.iter().any(|plan| plan.steps.is_binomial() != bits) {
        return Err(Error::Usage("the plans are of different processes; a model has one".into()));
    }
    let labels = axes::named(export.axes, network)?;
    let mut plans = export.plans.to_vec();
    let rows = time_rows(network, &mut plans);
    let row_count = rows.len();
    let mut biases = bias_columns(network, rows)?;
    let mut steps = fuse::fuse(&network.graph)?;
    if !measured.output_errors.is_empty() {
        let output = fuse::output_layer(&network.graph)?;
        let (found, channels) = (measured.output_errors.len(), nodes[output].shape.channels);
        if found != row_count || measured.output_errors.iter().any(|row| row.len() != channels) {
            return Err(Error::Invalid(format!("{found} rows of output errors for {row_count} different steps")));
        }
        let first = biases.append(&measured.output_errors);
        steps.iter_mut().filter(|s| s.node == output).for_each(|s| s.step_bias = Some(first));
    }
    if apart {
        steps = steps.into_iter().flat_map(Step::apart).collect();
    }
    let places = nodes.iter().map(|n| Place { name: &n.name, inputs: &n.inputs, shape: n.shape });
    let places: Vec<Place> = places.collect();
    let params = (&network.graph.params, &network.params[..]);
    let mut lowering =
        Lowering::new(Known { places: &places, params, ranges, moments: &measured.moments, bits }, biases);
    for step in std::iter::once(&Step::alone(0)).chain(&steps) {
        let node = &nodes[step.node];
        let parts = node.op.lower(&mut lowering, step);
        lowering.put(step.result, parts.map_err(|e| Error::Invalid(format!("layer {}: {e}", node.name)))?);
    }
    let input = lowering.parts(0)[0];
    let (output, output_scale) = lowering.output()?;
    debug_assert_eq!(output.element, Element::I16);
    let mut made = lowering.into_made();
    if made.builder.op_count() > usize::from(MAX_OPS) {
        return Err(Error::Invalid(format!(
            "the network becomes {} ops; a model file holds at most {MAX_OPS}",
            made.builder.op_count()
        )));
    }
    let axis_count = narrow("axes of labels", labels.len())?;
    let axes = axes::encoded(&labels).map_err(|e| Error::Invalid(e.to_string()))?;
    let conditioning = Conditioning { axis_count, axes: &axes, ..made.biases.write(&mut made.builder)? };
    plans.into_iter().for_each(|plan| made.builder.plan(plan));
    let frame = Frame {
        name: export.name,
        provenance: export.provenance,
        input: (input.tensor, (1.0 / input.quantization.scale) as f32),
        output: (output, output_scale as f32),
        conditioning,
    };
    let file = made.builder.finish(frame).map_err(|e| Error::Invalid(format!("{}: {e}", export.name)))?;
    Ok(Lowered { file, accumulators: made.accumulators, warnings: made.warnings })
}

/// The columns of a network with these rows for the steps of its plans.
fn bias_columns(network: &Network, mut time: Vec<Vec<f32>>) -> Result<BiasColumns> {
    let none = network.class_bias(&[])?;
    let mut classes = Vec::new();
    if network.is_conditioned() {
        let spec = &network.graph.conditioning;
        let row = |row: usize| network.class_row(row).to_vec();
        classes = (0..spec.axes()).map(|a| (spec.first_row(a)..=spec.row(a, None)).map(row).collect()).collect();
    } else {
        time.iter_mut().for_each(|row| row.iter_mut().zip(&none).for_each(|(t, n)| *t += n));
    }
    BiasColumns::new(network.bias_columns(), time, classes)
}

/// The rows of channel biases of all plans, by rising timestep, equal rows once; tells every step its row.
fn time_rows(network: &Network, plans: &mut [NamedPlan]) -> Vec<Vec<f32>> {
    let mut rows: Vec<(u32, Vec<f32>)> = Vec::new();
    let of_plans: Vec<Vec<Vec<f32>>> = plans.iter().map(|plan| network.plan_bias(plan)).collect();
    for (plan, biases) in plans.iter().zip(&of_plans) {
        rows.extend(plan.steps.timesteps().zip(biases.iter().cloned()));
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
        let steps: Vec<(u32, Vec<f32>)> = plan.steps.timesteps().zip(biases).collect();
        let row = |step: &(u32, Vec<f32>)| unique.iter().position(|row| row == step).unwrap_or_default() as u32;
        plan.steps.set_time_rows(steps.iter().map(row));
    }
    unique.into_iter().map(|row| row.1).collect()
}
