//! Builds a [`Graph`] node by node, with every shape inferred and checked.
use super::conditioning::{Conditioning, TimeColumns};
use super::layout::{Init, Layout};
use super::node::{Graph, Node};
use super::shape::{values_of, NodeId, Shape};
use crate::ops::making::{Layer, Making, SILU_GAIN};
use crate::ops::{Input, Op};
use crate::{Error, Result};

/// Standard deviation of the tables of timesteps and classes at the start.
const TABLE_STD: f32 = 0.3;

/// Most parameters of a network with its conditioning: a gigabyte.
const MOST_PARAMETERS: usize = 1 << 28;

/// Builds a [`Graph`] node by node and infers every shape.
///
/// ```
/// use brownian_trainer::graph::{Builder, ConvGeometry, Shape};
/// use brownian_trainer::ops::{Activation, Add, ChannelBiasLayer, ConvLayer};
/// # fn main() -> brownian_trainer::Result<()> {
/// let mut g = Builder::new(Shape::new(8, 8, 1))?;
/// let x = g.node("in", ConvLayer::new(6, ConvGeometry::square(3, 1)), &[0])?;
/// let y = g.node("bias", ChannelBiasLayer, &[x])?;
/// let y = g.node("silu", Activation::Silu, &[y])?;
/// let y = g.node("add", Add, &[x, y])?;
/// g.node("out", ConvLayer::new(1, ConvGeometry::square(3, 1)), &[y])?;
/// let graph = g.finish(8, 16, &[10])?;
/// assert_eq!(graph.macs(), 64 * 9 * (6 + 6));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Builder {
    input: Shape,
    nodes: Vec<Node>,
    params: Layout,
    stats: Layout,
    columns: usize,
}

impl Builder {
    /// A graph with its input node (id 0).
    ///
    /// # Errors
    /// An empty shape.
    pub fn new(input: Shape) -> Result<Self> {
        if input.is_empty() {
            return Err(Error::Invalid(format!("images of {input} hold nothing to learn")));
        }
        let node = Node { name: "input".into(), op: Input.into(), inputs: vec![], shape: input };
        Ok(Self { input, nodes: vec![node], params: Layout::default(), stats: Layout::default(), columns: 0 })
    }

    /// The shape of a node made before.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.nodes[id].shape
    }

    /// Adds a node that computes `layer` from earlier nodes, and returns its id.
    ///
    /// # Errors
    /// A name that is taken, inputs that the op does not take, or more values or parameters than can be held; the error
    /// names the layer.
    pub fn node<L: Layer>(&mut self, name: &str, layer: L, inputs: &[NodeId]) -> Result<NodeId>
    where
        Op: From<L::Op>,
    {
        if self.nodes.iter().any(|n| n.name == name) {
            return Err(Error::Invalid(format!("two layers are called {name}")));
        }
        let shapes: Vec<Shape> = inputs.iter().map(|id| self.shape(*id)).collect();
        let named = |e: Error| Error::Invalid(format!("{name}: {e}"));
        let (params, stats, columns) = (&mut self.params, &mut self.stats, &mut self.columns);
        let op: Op = layer.make(&mut Making { name, inputs: &shapes, params, stats, columns }).map_err(named)?.into();
        let shape = op.shape(&shapes).map_err(named)?;
        values_of(&[shape.height, shape.width, shape.channels]).map_err(named)?;
        self.check_parameters(name)?;
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), shape });
        Ok(self.nodes.len() - 1)
    }

    /// Ends the graph: the last node is the output, and the conditioning network gets its parameters, for labels with as
    /// many classes an axis as `classes` says (none for unlabelled data).
    ///
    /// # Errors
    /// An output that is not shaped like the input, or no channel bias, without which the network could not know the
    /// timestep.
    pub fn finish(mut self, features: usize, hidden: usize, classes: &[usize]) -> Result<Graph> {
        if features < 2 || !features.is_multiple_of(2) || hidden == 0 {
            return Err(Error::Invalid(format!("{features} features and {hidden} hidden values make no network of t")));
        }
        let columns = self.columns;
        let mut dense = |name: &str, inputs: usize, outputs: usize, gain: f32| {
            let std = gain / (inputs as f32).sqrt();
            let weight =
                self.params.push(format!("conditioning.{name}.weight"), vec![outputs, inputs], Init::Normal(std));
            (weight, self.params.push(format!("conditioning.{name}.bias"), vec![outputs], Init::Constant(0.0)))
        };
        let layers = [
            dense("1", features, hidden, std::f32::consts::SQRT_2),
            dense("2", hidden, hidden, SILU_GAIN),
            dense("columns", hidden, columns, 0.5),
        ];
        self.end(TimeColumns::Network { features, hidden, layers }, classes)
    }

    /// Ends the graph as [`Self::finish`] does, with a row of bias columns for each of `timesteps` timesteps in place of
    /// a network.
    ///
    /// # Errors
    /// As [`Self::finish`].
    pub fn finish_with_table(mut self, timesteps: usize, classes: &[usize]) -> Result<Graph> {
        let shape = vec![timesteps, self.columns];
        let time_table = self.params.push("conditioning.times".into(), shape, Init::Normal(TABLE_STD));
        self.end(TimeColumns::Table { time_table }, classes)
    }

    /// Checks that the parameters so far can be held; `name` is of those that came last.
    fn check_parameters(&self, name: &str) -> Result<()> {
        match self.params.len() {
            0..=MOST_PARAMETERS => Ok(()),
            count => Err(Error::Invalid(format!(
                "{name}: with it the network has {count} parameters; give it at most {MOST_PARAMETERS}"
            ))),
        }
    }

    fn end(mut self, time: TimeColumns, classes: &[usize]) -> Result<Graph> {
        let output = self.shape(self.nodes.len() - 1);
        if output != self.input {
            return Err(Error::Invalid(format!(
                "the network turns {} into {output}, but must keep the shape",
                self.input
            )));
        }
        if self.columns == 0 {
            return Err(Error::Invalid("the network has no channel bias, so it cannot know the timestep".into()));
        }
        let columns = self.columns;
        let classes = if classes.is_empty() { vec![0] } else { classes.to_vec() };
        let rows = classes.iter().map(|classes| classes + 1).sum();
        let class_table = self.params.push("conditioning.classes".into(), vec![rows, columns], Init::Normal(TABLE_STD));
        self.check_parameters("conditioning")?;
        let conditioning = Conditioning { time, classes, columns, class_table, plans: vec![], plan_table: None };
        Ok(Graph { input: self.input, nodes: self.nodes, params: self.params, stats: self.stats, conditioning })
    }
}
