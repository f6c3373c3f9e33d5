//! The whole way from a float network to a model file, with the choices there are.

use super::assemble::{assemble, lower, Export, Lowered, Measured};
use super::calibrate::{calibrate, RangeChoice};
use super::check::check;
use super::{correct, fuse, windows};
use crate::data::Axis;
use crate::graph::{Node, NodeId};
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::{Error, Result};
use brownian::host::{with_state, OwnedModel};
use brownian::StateKind;
use serde::Serialize;

/// What a model file says of itself.
#[derive(Clone, Copy, Debug)]
pub struct Title<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Where it comes from: TOML.
    pub provenance: &'a str,
    /// The axes of the labels; where there are none, those of the network are numbered.
    pub axes: &'a [Axis],
}

/// A name and where the model comes from.
impl<'a> From<(&'a str, &'a str)> for Title<'a> {
    fn from((name, provenance): (&'a str, &'a str)) -> Self {
        Self { name, provenance, axes: &[] }
    }
}

/// Bits of a weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize)]
pub enum WeightBits {
    /// Eight everywhere.
    #[default]
    #[value(name = "8")]
    #[serde(rename = "8")]
    Eight,
    /// Four in the layers that hold most of the weights, eight in the others.
    #[value(name = "4")]
    #[serde(rename = "4")]
    Four,
}

/// What x_t is kept in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StateName {
    /// Four bytes a value; of a binomial process a bit.
    #[default]
    F32,
    /// Two.
    F16,
}

impl StateName {
    fn is_f32(&self) -> bool {
        *self == Self::F32
    }
}

/// How a network becomes integers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Choices {
    /// Bits of a weight.
    pub weights: WeightBits,
    /// How ranges of activations follow from their values.
    pub ranges: RangeChoice,
    /// Whether the mean error of the output is taken back, for every timestep on its own.
    pub bias_correction: bool,
    /// What the chip keeps x_t in between two steps.
    #[serde(skip_serializing_if = "StateName::is_f32")]
    pub state: StateName,
}

impl Default for Choices {
    fn default() -> Self {
        Self {
            weights: WeightBits::Eight,
            ranges: RangeChoice::LeastError,
            bias_correction: true,
            state: StateName::F32,
        }
    }
}

/// A layer gets four bits if it holds at least one in this many of the network's weights.
const LARGE_SHARE: usize = 10;

/// Calibrates on the plans' own trajectories, quantizes and writes a model file.
///
/// # Errors
/// What the float chain or [`lower`] refuses.
pub fn quantize<'a>(
    title: impl Into<Title<'a>>,
    network: &Network,
    plans: &[NamedPlan],
    seed: u64,
    choices: &Choices,
) -> Result<Lowered> {
    quantized(title.into(), network, plans, (seed, choices), false)
}

/// The same network with every activation as an op of its own.
///
/// # Errors
/// As [`quantize`].
pub fn quantize_apart<'a>(
    title: impl Into<Title<'a>>,
    network: &Network,
    plans: &[NamedPlan],
    seed: u64,
    choices: &Choices,
) -> Result<Lowered> {
    quantized(title.into(), network, plans, (seed, choices), true)
}

fn quantized(
    Title { name, provenance, axes }: Title,
    network: &Network,
    plans: &[NamedPlan],
    (seed, choices): (u64, &Choices),
    apart: bool,
) -> Result<Lowered> {
    // Calibration takes long; what it would be done for in vain is found first.
    check(&network.graph)?;
    if choices.state == StateName::F16 && plans.iter().any(|plan| plan.steps.is_binomial()) {
        return Err(Error::Usage("--state f16: the state of a binomial process is of bits".into()));
    }
    let ranges = calibrate(network, plans, seed, choices.ranges)?;
    let mut measured = Measured::default();
    if choices.weights == WeightBits::Four {
        let large = large_layers(network)?;
        measured.moments = windows::collect(network, plans, seed, |layer| large.contains(&layer))?;
    }
    let export = Export { name, provenance, axes, network, ranges: &ranges, plans };
    if choices.bias_correction {
        let file = OwnedModel::new(&lower(&export, &measured)?.file)?;
        // Other noise than the ranges come from.
        measured.output_errors = correct::output_errors(network, plans, &file, seed.wrapping_add(1))?;
    }
    let mut lowered = assemble(&export, &measured, apart)?;
    if choices.state == StateName::F16 {
        lowered.file = with_state(&lowered.file, StateKind::F16)?;
    }
    Ok(lowered)
}

/// The dense convolutions and dense layers that hold a large share of all weights; never the output's.
fn large_layers(network: &Network) -> Result<Vec<NodeId>> {
    let graph = &network.graph;
    let size = |id: usize| graph.params.blocks[id].range.len();
    let count = |node: &Node| node.op.weights().filter(|w| w.dense).map_or(0, |w| size(w.weight));
    let total: usize = graph.nodes.iter().map(count).sum();
    let output = fuse::output_layer(graph)?;
    let large = |(id, node): &(NodeId, &Node)| *id != output && count(node) > 0 && count(node) * LARGE_SHARE >= total;
    Ok(graph.nodes.iter().enumerate().filter(large).map(|(id, _)| id).collect())
}
