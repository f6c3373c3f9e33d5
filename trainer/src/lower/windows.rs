//! Collects the moments of what layers with weights read, over the plans' own trajectories.
use super::calibrate::conditions;
use super::moments::Moments;
use crate::chain::{self, Batch};
use crate::graph::{Node, NodeId};
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::Result;

/// Windows of a layer's input that one plan contributes, about.
const WINDOWS: usize = 6000;
/// Evaluations of the network that one plan and kind of condition gets, about.
const EVALUATIONS: usize = 300;

/// Runs every plan with the float network and returns the moments of the dense convolutions and dense layers that
/// `wanted` chooses, one a layer of the network.
///
/// # Errors
/// What the float chain refuses.
pub fn collect(
    network: &Network,
    plans: &[NamedPlan],
    seed: u64,
    wanted: impl Fn(NodeId) -> bool,
) -> Result<Vec<Option<Moments>>> {
    let graph = &network.graph;
    let row_len = |node: &Node| {
        let weights = node.op.weights().filter(|w| w.dense)?;
        Some(graph.params.blocks[weights.weight].range.len() / node.shape.channels)
    };
    let wanted_row = |(id, node): (NodeId, &Node)| if wanted(id) { row_len(node) } else { None };
    let mut moments: Vec<Option<Moments>> =
        graph.nodes.iter().enumerate().map(|node| wanted_row(node).map(Moments::new)).collect();
    for plan in plans {
        for (classes, guidance) in conditions() {
            let count = (EVALUATIONS / plan.steps.len().max(1)).clamp(10, 60);
            let batch = Batch { seed, first: 0, count, classes, guidance };
            let windows = WINDOWS / (3 * plan.steps.len().max(1));
            chain::float(network, plan, &batch, |_, layer, values| {
                let shape = graph.nodes[layer].shape;
                for (reader, moments) in graph.nodes.iter().zip(&mut moments) {
                    let Some(moments) = moments.as_mut().filter(|_| reader.inputs[0] == layer) else { continue };
                    reader.op.windows([shape, reader.shape], values, windows, &mut |window| moments.add(window));
                }
            })?;
        }
    }
    Ok(moments)
}
