//! What the integer network rounds, for the float network to round alike while it is fine-tuned.

use super::fuse::fuse;
use super::layer::FloatLayer;
use super::scale::{Quantization, Range};
use crate::autograd::fake_quantize::Grid;
use crate::graph::{Activation, Graph, Op};
use crate::network::{LayerOp, Network};
use crate::Result;

/// Channels of a value, and the integers that they are stored in.
type Parts = Vec<(usize, Quantization)>;

/// The rounding of every layer's result and of all weights.
#[derive(Clone, Debug)]
pub struct Rounding {
    /// For each layer the grids of its channels, or none where its result is never stored.
    pub grids: Vec<Option<Vec<Grid>>>,
    /// For each layer that has weights the parts of its input.
    sources: Vec<Option<Parts>>,
}

impl Rounding {
    /// The rounding that [`lower`](super::lower) gives `network` with these ranges, up to values that it widens so that multipliers
    /// fit and joins of unlike parts outside convolutions.
    ///
    /// # Errors
    /// A network that cannot be lowered.
    pub fn new(network: &Network, ranges: &[Range]) -> Result<Self> {
        let layers = &network.layers;
        let mut parts: Vec<Parts> = vec![vec![]; layers.len()];
        let mut this = Self { grids: vec![None; layers.len()], sources: vec![None; layers.len()] };
        let input = Quantization::covering(ranges[0]);
        parts[0] = vec![(layers[0].shape.channels, input)];
        this.grids[0] = Some(grids(&parts[0]));
        for step in fuse(network)? {
            let layer = &layers[step.layer];
            let of = |i: usize| parts[layer.inputs[i]].clone();
            let channels = layer.shape.channels;
            let result = match &layer.op {
                LayerOp::Input => continue,
                LayerOp::Conv { .. } | LayerOp::Linear { .. } | LayerOp::Add | LayerOp::ChannelBias { .. } => {
                    if matches!(layer.op, LayerOp::Conv { .. } | LayerOp::Linear { .. }) {
                        this.sources[step.layer] = Some(of(0));
                    }
                    if step.wide {
                        // 16 bits: as good as exact.
                        continue;
                    }
                    let inner = Quantization::covering(ranges[step.requantized]);
                    this.grids[step.requantized] = Some(grids(&[(channels, inner)]));
                    let output = step.activation.map_or(inner, |kind| inner.lut(kind.function()).1);
                    vec![(channels, output)]
                }
                LayerOp::Activation(kind) => {
                    of(0).into_iter().map(|(n, q)| (n, q.lut(kind.function()).1)).collect::<Parts>()
                }
                LayerOp::Concat => [of(0), of(1)].concat(),
                LayerOp::Upsample => of(0),
                // Blocks of pixels keep the integers of a value of one part.
                LayerOp::SpaceToDepth { .. } | LayerOp::DepthToSpace { .. } => match of(0)[..] {
                    [(_, quantization)] => vec![(channels, quantization)],
                    _ => continue,
                },
            };
            let activates = step.activation.is_some() || matches!(layer.op, LayerOp::Activation(_));
            if activates {
                this.grids[step.result] = Some(grids(&result));
            }
            parts[step.result] = result;
        }
        Ok(this)
    }

    /// Rounds the weights of `graph`, which has no norms, in its flat parameter vector.
    pub fn round_weights(&self, graph: &Graph, params: &mut [f32]) {
        for (node, sources) in graph.nodes.iter().zip(&self.sources) {
            let (Some(sources), Op::Conv { weight, .. } | Op::Linear { weight, .. }) = (sources, &node.op) else {
                continue;
            };
            let block = &graph.params.blocks[*weight];
            let (taps, sources) = match node.op {
                Op::Conv { geometry, .. } if geometry.depthwise => (geometry.taps(), vec![(1, sources[0].1)]),
                Op::Conv { geometry, .. } => (geometry.taps(), sources.clone()),
                _ => (1, vec![(block.shape[1], sources[0].1)]),
            };
            let weights = &mut params[block.range.clone()];
            let bias = vec![0.0; node.shape.channels];
            let rounded = FloatLayer { weights, bias: &bias, taps, sources }.rounded_weights();
            weights.copy_from_slice(&rounded);
        }
    }
}

fn grids(parts: &[(usize, Quantization)]) -> Vec<Grid> {
    let grid = |q: &Quantization| Grid { scale: q.scale as f32, low: q.real(-128) as f32, high: q.real(127) as f32 };
    parts.iter().flat_map(|(channels, q)| std::iter::repeat_n(grid(q), *channels)).collect()
}

impl Activation {
    /// The function itself.
    pub fn function(self) -> impl Fn(f64) -> f64 {
        move |x| match self {
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Relu => x.max(0.0),
        }
    }
}
