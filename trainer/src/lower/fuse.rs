//! Which layers become one op.

use crate::graph::{Activation, NodeId};
use crate::network::{LayerOp, Network};
use crate::{Error, Result};

/// One op to be made: a layer and what follows it directly and alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The layer that computes.
    pub layer: NodeId,
    /// First bias column of a [`LayerOp::ChannelBias`] taken in.
    pub step_bias: Option<usize>,
    /// The other operand of a [`LayerOp::Add`] taken in.
    pub residual: Option<NodeId>,
    /// The last layer before the activation: its range is that of the requantized value.
    pub requantized: NodeId,
    /// An activation taken in.
    pub activation: Option<Activation>,
    /// The layer whose result the op's result is.
    pub result: NodeId,
    /// Whether the result is the network's output, which has 16 bits.
    pub wide: bool,
}

/// Groups all layers but the input into steps, in an order in which they can run.
///
/// # Errors
/// The network's output does not come from a convolution or dense layer through moves.
pub fn fuse(network: &Network) -> Result<Vec<Step>> {
    let layers = &network.layers;
    let users = |id: NodeId| (id + 1..layers.len()).filter(move |&u| layers[u].inputs.contains(&id));
    let sole_user = |id: NodeId| {
        let mut all = users(id);
        let uses = |u: NodeId| layers[u].inputs.iter().filter(|&&i| i == id).count();
        all.next().filter(|&u| all.next().is_none() && uses(u) == 1)
    };
    let wide = wide_layers(network)?;
    let mut taken = vec![false; layers.len()];
    let mut steps = Vec::new();
    for (id, layer) in layers.iter().enumerate().skip(1) {
        if taken[id] {
            continue;
        }
        let mut step = Step {
            layer: id,
            step_bias: None,
            residual: None,
            requantized: id,
            activation: None,
            result: id,
            wide: wide.contains(&id),
        };
        let accumulates = matches!(layer.op, LayerOp::Conv { .. } | LayerOp::Linear { .. });
        let fuses = accumulates || layer.op == LayerOp::Add;
        while let Some(user) = sole_user(step.result).filter(|_| fuses && !taken[id]) {
            match &layers[user].op {
                LayerOp::ChannelBias { first }
                    if accumulates && step.step_bias.is_none() && step.residual.is_none() =>
                {
                    step.step_bias = Some(*first);
                    step.requantized = user;
                }
                LayerOp::Add if accumulates && step.residual.is_none() && !step.wide && !wide.contains(&user) => {
                    let other = layers[user].inputs.iter().copied().find(|&i| i != step.result);
                    // The other operand must be there before this layer runs, as a tensor of its own.
                    let Some(other) = other.filter(|&o| o < id && is_tensor(network, o)) else { break };
                    step.residual = Some(other);
                    step.requantized = user;
                }
                LayerOp::Activation(kind) if !wide.contains(&user) && !step.wide => {
                    step.activation = Some(*kind);
                    step.result = user;
                    taken[user] = true;
                    break;
                }
                _ => break,
            }
            taken[user] = true;
            step.result = user;
        }
        steps.push(step);
    }
    Ok(steps)
}

impl Step {
    /// The same work as steps whose requantized value is stored before its activation, where it can be seen.
    pub fn apart(self) -> impl Iterator<Item = Self> {
        let activation = self.activation.map(|_| Self {
            layer: self.result,
            step_bias: None,
            residual: None,
            requantized: self.result,
            activation: None,
            result: self.result,
            wide: false,
        });
        let result = if activation.is_some() { self.requantized } else { self.result };
        std::iter::once(Self { activation: None, result, ..self }).chain(activation)
    }

    /// The layer whose value is rounded, and the activation that the rounded value goes through.
    pub fn rounded(&self) -> (NodeId, Option<Activation>) {
        (self.requantized, self.activation)
    }
}

/// The layer that computes the network's output, which moves may follow.
///
/// # Errors
/// As [`fuse`].
pub fn output_layer(network: &Network) -> Result<NodeId> {
    Ok(wide_layers(network)?.pop().unwrap_or_default())
}

/// Whether a layer's value is one tensor, not parts that are only read together.
fn is_tensor(network: &Network, id: NodeId) -> bool {
    let layer = &network.layers[id];
    match layer.op {
        LayerOp::Concat | LayerOp::Upsample => false,
        LayerOp::Activation(_) => is_tensor(network, layer.inputs[0]),
        _ => true,
    }
}

/// The output and the layers it comes from through moves, back to the layer that computes it.
fn wide_layers(network: &Network) -> Result<Vec<NodeId>> {
    let mut wide = vec![network.layers.len() - 1];
    loop {
        let id = wide[wide.len() - 1];
        let layer = &network.layers[id];
        match layer.op {
            LayerOp::Conv { .. } | LayerOp::Linear { .. } => return Ok(wide),
            LayerOp::DepthToSpace { .. } | LayerOp::SpaceToDepth { .. } => wide.push(layer.inputs[0]),
            _ => {
                return Err(Error::Invalid(format!(
                    "the network ends in layer {}, but its output must come from a convolution or dense layer",
                    layer.name
                )))
            }
        }
    }
}
