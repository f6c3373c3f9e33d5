//! What the integer network rounds, for the float network to round alike while it is fine-tuned.

use super::fuse::fuse;
use super::layer::FloatLayer;
use super::scale::{Quantization, Range, Stored};
use super::step::{Role, Step};
use crate::autograd::fake_quantize::Grid;
use crate::graph::Graph;
use crate::{Error, Result};

/// The rounding of every layer's result and of all weights.
#[derive(Clone, Debug)]
pub struct Rounding {
    /// For each layer the grids of its channels, or none where its result is never stored.
    pub grids: Vec<Option<Vec<Grid>>>,
    /// For each layer that has weights the parts of its input.
    sources: Vec<Option<Vec<Stored>>>,
}

impl Rounding {
    /// The rounding that lowering gives a folded graph with these ranges, up to values that it widens so that
    /// multipliers fit.
    ///
    /// # Errors
    /// A network that cannot be lowered.
    pub fn new(graph: &Graph, ranges: &[Range]) -> Result<Self> {
        let nodes = &graph.nodes;
        let mut parts: Vec<Vec<Stored>> = vec![vec![]; nodes.len()];
        let mut this = Self { grids: vec![None; nodes.len()], sources: vec![None; nodes.len()] };
        let input = Quantization::covering(ranges[0]).map_err(|e| Error::Invalid(format!("layer input: {e}")))?;
        parts[0] = vec![Stored { channels: nodes[0].shape.channels, quantization: input }];
        this.grids[0] = Some(grids(&parts[0]));
        for step in fuse(graph)? {
            let name = &nodes[step.node].name;
            let result = this.step(graph, ranges, &parts, &step);
            parts[step.result] = result.map_err(|e| Error::Invalid(format!("layer {name}: {e}")))?;
        }
        Ok(this)
    }

    /// Sets what one step rounds, and returns the parts of its result.
    fn step(&mut self, graph: &Graph, ranges: &[Range], parts: &[Vec<Stored>], step: &Step) -> Result<Vec<Stored>> {
        let node = &graph.nodes[step.node];
        let inputs: Vec<&[Stored]> = node.inputs.iter().map(|id| &parts[*id][..]).collect();
        if node.op.weights().is_some() {
            self.sources[step.node] = Some(node.op.sources(graph.nodes[node.inputs[0]].shape, inputs[0])?);
        }
        if step.wide {
            // 16 bits: as good as exact.
            return Ok(vec![]);
        }
        let result = match node.op.stored(&inputs, node.shape)? {
            Some(parts) => parts,
            None => {
                let channels = node.shape.channels;
                let covering = || Quantization::covering(ranges[step.requantized]);
                let inner = node.op.fixed().map_or_else(covering, Ok)?;
                self.grids[step.requantized] = Some(grids(&[Stored { channels, quantization: inner }]));
                let quantization =
                    step.activation.map_or(Ok(inner), |function| inner.lut(function).map(|lut| lut.1))?;
                vec![Stored { channels, quantization }]
            }
        };
        if step.activation.is_some() || matches!(node.op.role(), Role::Activates(_)) {
            self.grids[step.result] = Some(grids(&result));
        }
        Ok(result)
    }

    /// Rounds the weights of `graph`, which has no norms, in its flat parameter vector.
    ///
    /// # Errors
    /// Weights that are not finite.
    pub fn round_weights(&self, graph: &Graph, params: &mut [f32]) -> Result<()> {
        for (node, sources) in graph.nodes.iter().zip(&self.sources) {
            let (Some(sources), Some(spec)) = (sources, node.op.weights()) else { continue };
            let weights = &mut params[graph.params.blocks[spec.weight].range.clone()];
            let bias = vec![0.0; node.shape.channels];
            let layer = FloatLayer { weights, bias: &bias, taps: spec.taps, sources: sources.clone() };
            let rounded = layer.rounded_weights().map_err(|e| Error::Invalid(format!("layer {}: {e}", node.name)))?;
            weights.copy_from_slice(&rounded);
        }
        Ok(())
    }
}

fn grids(parts: &[Stored]) -> Vec<Grid> {
    let grid = |q: &Quantization| Grid { scale: q.scale as f32, low: q.real(-128) as f32, high: q.real(127) as f32 };
    parts.iter().flat_map(|part| std::iter::repeat_n(grid(&part.quantization), part.channels)).collect()
}
