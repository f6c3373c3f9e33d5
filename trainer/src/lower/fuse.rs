//! Which nodes become one op.
use super::step::{Role, Step};
use crate::graph::{Graph, NodeId};
use crate::{Error, Result};

/// Groups all nodes but the input into steps, in an order in which they can run.
///
/// # Errors
/// The network's output does not come from a convolution or dense layer through moves.
pub fn fuse(graph: &Graph) -> Result<Vec<Step>> {
    let nodes = &graph.nodes;
    let users = |id: NodeId| (id + 1..nodes.len()).filter(move |&u| nodes[u].inputs.contains(&id));
    let sole_user = |id: NodeId| {
        let mut all = users(id);
        let uses = |u: NodeId| nodes[u].inputs.iter().filter(|&&i| i == id).count();
        all.next().filter(|&u| all.next().is_none() && uses(u) == 1)
    };
    let wide = wide_layers(graph)?;
    let mut taken = vec![false; nodes.len()];
    let mut steps = Vec::new();
    for (id, node) in nodes.iter().enumerate().skip(1) {
        if taken[id] {
            continue;
        }
        let mut step = Step { wide: wide.contains(&id), ..Step::alone(id) };
        let accumulates = matches!(node.op.role(), Role::Accumulates);
        let fuses = accumulates || matches!(node.op.role(), Role::Adds);
        while let Some(user) = sole_user(step.result).filter(|_| fuses && !taken[id]) {
            match nodes[user].op.role() {
                Role::Biases(first) if accumulates && step.step_bias.is_none() && step.residual.is_none() => {
                    step.step_bias = Some(first);
                    step.requantized = user;
                }
                Role::Adds if accumulates && step.residual.is_none() && !step.wide && !wide.contains(&user) => {
                    let other = nodes[user].inputs.iter().copied().find(|&i| i != step.result);
                    // The other operand must be there before this layer runs, as a tensor of its own.
                    let Some(other) = other.filter(|&o| o < id && is_tensor(graph, o)) else { break };
                    step.residual = Some(other);
                    step.requantized = user;
                }
                Role::Activates(function) if !wide.contains(&user) && !step.wide => {
                    step.activation = Some(function);
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

/// The layer that computes the network's output, which moves may follow.
///
/// # Errors
/// As [`fuse`].
pub fn output_layer(graph: &Graph) -> Result<NodeId> {
    Ok(wide_layers(graph)?.pop().unwrap_or_default())
}

/// Whether a layer's value is one tensor, not parts that are only read together.
fn is_tensor(graph: &Graph, id: NodeId) -> bool {
    let node = &graph.nodes[id];
    match node.op.role() {
        Role::View => false,
        Role::Activates(_) => is_tensor(graph, node.inputs[0]),
        _ => true,
    }
}

/// The output and the layers it comes from through moves, back to the layer that computes it.
fn wide_layers(graph: &Graph) -> Result<Vec<NodeId>> {
    let mut wide = vec![graph.nodes.len() - 1];
    loop {
        let id = wide[wide.len() - 1];
        let node = &graph.nodes[id];
        match node.op.role() {
            Role::Accumulates => return Ok(wide),
            Role::Moves => wide.push(node.inputs[0]),
            _ => {
                return Err(Error::Invalid(format!(
                    "the network ends in layer {}, but its output must come from a convolution or dense layer",
                    node.name
                )))
            }
        }
    }
}
