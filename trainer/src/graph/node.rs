//! A network as a list of nodes, with where its parameters lie.
use super::conditioning::{Conditioning, TimeColumns, TunedPlan};
use super::layout::{Init, Layout};
use super::shape::{NodeId, Shape};
use crate::ops::folding::Folding;
use crate::ops::Op;
use crate::{Error, Result};
use serde::Serialize;

/// One operation with its inputs and the shape of its result.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Node {
    /// Unique name, for reports and errors.
    pub name: String,
    /// What is computed.
    pub op: Op,
    /// From which nodes.
    pub inputs: Vec<NodeId>,
    /// Shape of the result for one image.
    pub shape: Shape,
}

/// A network: nodes in an order in which they can be computed; the last one is the output F.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Graph {
    /// Shape of x_t, and of the output.
    pub input: Shape,
    /// The nodes; node 0 is the input.
    pub nodes: Vec<Node>,
    /// Where every trained parameter lies, those of the conditioning network included.
    pub params: Layout,
    /// Where the running statistics of the norms lie; none in a folded graph.
    pub stats: Layout,
    /// The conditioning network.
    pub conditioning: Conditioning,
}

impl Graph {
    /// The shapes of a node's inputs.
    pub fn input_shapes(&self, node: &Node) -> Vec<Shape> {
        node.inputs.iter().map(|id| self.nodes[*id].shape).collect()
    }

    /// Multiply-accumulates of the convolutions and dense layers for one image; the conditioning network is not
    /// counted, since it does not run on the chip.
    pub fn macs(&self) -> usize {
        self.nodes.iter().map(|node| node.op.macs(&self.input_shapes(node), node.shape)).sum()
    }

    /// Parameters that end up on the chip as weights and biases after folding (without the bias tables).
    pub fn weight_count(&self) -> usize {
        let count = |node: &Node| {
            node.op.weights().map_or(0, |w| self.params.blocks[w.weight].range.len() + node.shape.channels)
        };
        self.nodes.iter().map(count).sum()
    }

    /// The shape of the local condition that the network follows, 1×frames×bands, if it follows one.
    pub fn local(&self) -> Option<Shape> {
        self.nodes.iter().find(|node| matches!(node.op, Op::LocalCondition(_))).map(|node| node.shape)
    }

    /// The output node: the last one.
    pub fn output(&self) -> NodeId {
        self.nodes.len() - 1
    }

    /// The same network with every norm folded into its convolution, and the parameters that then compute the same.
    ///
    /// # Errors
    /// Parameters or statistics of another length than the graph's layouts.
    pub fn folded_with(&self, params: &[f32], stats: &[f32]) -> Result<(Self, Vec<f32>)> {
        if params.len() != self.params.len() || stats.len() != self.stats.len() {
            return Err(Error::Invalid(format!(
                "the network has {} parameters and {} statistics, but {} and {} were given",
                self.params.len(),
                self.stats.len(),
                params.len(),
                stats.len()
            )));
        }
        let mut to = Folding::new((&self.params, params), (&self.stats, stats));
        let nodes = self.nodes.iter().map(|node| Node { op: node.op.folded(&mut to), ..node.clone() }).collect();
        let mut conditioning = self.conditioning.clone();
        match &mut conditioning.time {
            TimeColumns::Network { layers, .. } => {
                for (weight, bias) in layers {
                    (*weight, *bias) = (to.copy(*weight), to.copy(*bias));
                }
            }
            TimeColumns::Table { time_table } => *time_table = to.copy(*time_table),
        }
        conditioning.class_table = to.copy(conditioning.class_table);
        conditioning.plan_table = conditioning.plan_table.map(|id| to.copy(id));
        let (params, values) = to.finish();
        Ok((Self { input: self.input, nodes, params, stats: Layout::default(), conditioning }, values))
    }

    /// The same network with every norm folded into its convolution, which has a bias then; its conditioning network
    /// gets rows of bias columns for the steps of `plans`.
    pub fn folded(&self, plans: Vec<TunedPlan>) -> Self {
        let (params, stats) = (vec![0.0; self.params.len()], vec![1.0; self.stats.len()]);
        let (mut graph, _) = self.folded_with(&params, &stats).expect("lengths are the layouts'");
        let rows = 1 + plans.iter().map(|p| p.timesteps.len()).sum::<usize>();
        let shape = vec![rows, graph.conditioning.columns];
        graph.conditioning.plans = plans;
        graph.conditioning.plan_table =
            Some(graph.params.push("conditioning.plans".into(), shape, Init::Constant(0.0)));
        graph
    }

    /// The parameters of [`Self::folded`] that compute what these parameters and statistics do.
    ///
    /// # Errors
    /// Vectors of another length than the graph's layouts.
    pub fn folded_params(&self, folded: &Self, params: &[f32], stats: &[f32]) -> Result<Vec<f32>> {
        let (_, mut values) = self.folded_with(params, stats)?;
        // Rows of plans start at zero.
        values.resize(folded.params.len(), 0.0);
        Ok(values)
    }
}
