//! Whether a network can become a model file at all, asked before it is trained.
use super::assemble::{lower, Export, Measured};
use super::scale::Range;
use crate::graph::{Graph, Node};
use crate::plans::NamedPlan;
use crate::steps::Steps;
use crate::{Error, Result};
use brownian::plan::Step;
use brownian::MAX_MACS;

/// Lowers the network with its start values, so that what the format does not hold is found before any work is done.
///
/// # Errors
/// Layers, sizes or counts that no model file holds, with the layer's name.
pub fn check(graph: &Graph) -> Result<()> {
    let macs = graph.macs();
    if macs as u64 > MAX_MACS {
        let macs_of = |node: &&Node| node.op.macs(&graph.input_shapes(node), node.shape);
        let largest = graph.nodes.iter().max_by_key(macs_of);
        let largest =
            largest.map_or(String::new(), |n| format!(", most of them ({}) in layer {}", macs_of(&n), n.name));
        return Err(Error::Invalid(format!(
            "the network takes {macs} multiply-accumulates an evaluation{largest}; a model file holds at most \
             {MAX_MACS}. Take smaller images, a larger patch or fewer channels"
        )));
    }
    let step = Step { timestep: 1, ..Step::default() };
    let steps = Steps::Gaussian(vec![step]);
    trial(graph, &[NamedPlan::whole("check", steps)]).map(drop)
}

/// The model file that the network makes with its start values and these plans: as large as that of a trained one.
///
/// # Errors
/// Layers, sizes or counts that no model file holds, with the layer's name.
pub fn trial(graph: &Graph, plans: &[NamedPlan]) -> Result<Vec<u8>> {
    let network = graph.fold(&graph.params.init(0), &graph.stats.init(0))?;
    let ranges = vec![Range { min: -1.0, max: 1.0 }; graph.nodes.len()];
    let export = Export { name: "the network", provenance: "", axes: &[], network: &network, ranges: &ranges, plans };
    lower(&export, &Measured::default()).map(|lowered| lowered.file)
}
