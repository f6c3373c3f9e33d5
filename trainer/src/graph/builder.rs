//! Builds a [`Graph`] node by node, with every shape inferred and checked.
use super::{Activation, Conditioning, ConvGeometry, Graph, Init, Layout, Node, NodeId, Norm, Op, Shape};
use crate::{Error, Result};

/// How a convolution is made by [`Builder::conv`].
#[derive(Clone, Copy, Debug)]
pub struct ConvOptions {
    /// Follow with a batch normalisation.
    pub norm: bool,
    /// Factor on the start scale: of the norm's gamma where there is one, else of the weights.
    pub scale: f32,
}

impl Default for ConvOptions {
    fn default() -> Self {
        Self { norm: true, scale: 1.0 }
    }
}

/// The gain that keeps the variance of a convolution over SiLU'd inputs.
const SILU_GAIN: f32 = 1.68;
/// Standard deviation of the class table at the start.
const CLASS_STD: f32 = 0.3;

/// Builds a [`Graph`] node by node and infers every shape.
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
        let node = Node { name: "input".into(), op: Op::Input, inputs: vec![], shape: input };
        Ok(Self { input, nodes: vec![node], params: Layout::default(), stats: Layout::default(), columns: 0 })
    }

    /// The shape of a node made before.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.nodes[id].shape
    }

    fn push(&mut self, name: &str, op: Op, inputs: &[NodeId], shape: Shape) -> Result<NodeId> {
        if self.nodes.iter().any(|n| n.name == name) {
            return Err(Error::Invalid(format!("two layers are called {name}")));
        }
        self.nodes.push(Node { name: name.into(), op, inputs: inputs.to_vec(), shape });
        Ok(self.nodes.len() - 1)
    }

    /// [`Op::SpaceToDepth`].
    ///
    /// # Errors
    /// A size that `block` does not divide.
    pub fn space_to_depth(&mut self, name: &str, x: NodeId, block: usize) -> Result<NodeId> {
        let s = self.shape(x);
        if block == 0 || !s.height.is_multiple_of(block) || !s.width.is_multiple_of(block) {
            return Err(Error::Invalid(format!("{name}: {s} does not split into squares of {block}")));
        }
        let shape = Shape::new(s.height / block, s.width / block, s.channels * block * block);
        self.push(name, Op::SpaceToDepth { block }, &[x], shape)
    }

    /// [`Op::DepthToSpace`].
    ///
    /// # Errors
    /// Channels that `block`² does not divide.
    pub fn depth_to_space(&mut self, name: &str, x: NodeId, block: usize) -> Result<NodeId> {
        let s = self.shape(x);
        if block == 0 || !s.channels.is_multiple_of(block * block) {
            return Err(Error::Invalid(format!("{name}: {} channels do not make squares of {block}", s.channels)));
        }
        let shape = Shape::new(s.height * block, s.width * block, s.channels / (block * block));
        self.push(name, Op::DepthToSpace { block }, &[x], shape)
    }

    /// [`Op::Conv`] with `channels` outputs (ignored for depthwise, which keeps the input's).
    ///
    /// # Errors
    /// A geometry that does not fit the input.
    pub fn conv(
        &mut self,
        name: &str,
        x: NodeId,
        channels: usize,
        geometry: ConvGeometry,
        options: ConvOptions,
    ) -> Result<NodeId> {
        let s = self.shape(x);
        let [height, width] = geometry.output(s.height, s.width).map_err(|e| Error::Invalid(format!("{name}: {e}")))?;
        let (channels, fan_in) = if geometry.depthwise { (s.channels, 1) } else { (channels, s.channels) };
        if channels == 0 {
            return Err(Error::Invalid(format!("{name}: a convolution needs at least one output channel")));
        }
        let mut std = SILU_GAIN / ((geometry.taps() * fan_in) as f32).sqrt();
        if !options.norm {
            std *= options.scale;
        }
        let dims = vec![channels, geometry.kernel[0], geometry.kernel[1], fan_in];
        let weight = self.params.push(format!("{name}.weight"), dims, Init::Normal(std));
        let mut block = |layout: fn(&mut Self) -> &mut Layout, kind: &str, value: f32| {
            layout(self).push(format!("{name}.{kind}"), vec![channels], Init::Constant(value))
        };
        let (bias, norm) = if options.norm {
            let gamma = block(|b| &mut b.params, "gamma", options.scale);
            let beta = block(|b| &mut b.params, "beta", 0.0);
            let mean = block(|b| &mut b.stats, "mean", 0.0);
            let variance = block(|b| &mut b.stats, "variance", 1.0);
            (None, Some(Norm { gamma, beta, mean, variance }))
        } else {
            (Some(block(|b| &mut b.params, "bias", 0.0)), None)
        };
        self.push(name, Op::Conv { geometry, weight, bias, norm }, &[x], Shape::new(height, width, channels))
    }

    /// [`Op::Linear`] with `outputs` outputs.
    ///
    /// # Errors
    /// No outputs.
    pub fn linear(&mut self, name: &str, x: NodeId, outputs: usize) -> Result<NodeId> {
        if outputs == 0 {
            return Err(Error::Invalid(format!("{name}: a dense layer needs at least one output")));
        }
        let inputs = self.shape(x).len();
        let std = SILU_GAIN / (inputs as f32).sqrt();
        let weight = self.params.push(format!("{name}.weight"), vec![outputs, inputs], Init::Normal(std));
        let bias = self.params.push(format!("{name}.bias"), vec![outputs], Init::Constant(0.0));
        self.push(name, Op::Linear { weight, bias }, &[x], Shape::new(1, 1, outputs))
    }

    /// [`Op::ChannelBias`] with columns of its own.
    ///
    /// # Errors
    /// A name that is taken.
    pub fn channel_bias(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let (first, shape) = (self.columns, self.shape(x));
        self.columns += shape.channels;
        self.push(name, Op::ChannelBias { first }, &[x], shape)
    }

    /// [`Op::Activation`].
    ///
    /// # Errors
    /// A name that is taken.
    pub fn activation(&mut self, name: &str, x: NodeId, kind: Activation) -> Result<NodeId> {
        self.push(name, Op::Activation(kind), &[x], self.shape(x))
    }

    /// [`Op::Add`].
    ///
    /// # Errors
    /// Different shapes.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        if sa != sb {
            return Err(Error::Invalid(format!("{name}: cannot add {sb} to {sa}")));
        }
        self.push(name, Op::Add, &[a, b], sa)
    }

    /// [`Op::Concat`].
    ///
    /// # Errors
    /// Different heights or widths.
    pub fn concat(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        if (sa.height, sa.width) != (sb.height, sb.width) {
            return Err(Error::Invalid(format!("{name}: cannot join the channels of {sa} and {sb}")));
        }
        self.push(name, Op::Concat, &[a, b], Shape { channels: sa.channels + sb.channels, ..sa })
    }

    /// [`Op::Upsample`].
    ///
    /// # Errors
    /// A name that is taken.
    pub fn upsample(&mut self, name: &str, x: NodeId) -> Result<NodeId> {
        let s = self.shape(x);
        let height = if s.height == 1 { 1 } else { 2 * s.height };
        self.push(name, Op::Upsample, &[x], Shape::new(height, 2 * s.width, s.channels))
    }

    /// Ends the graph: the last node is the output, and the conditioning network gets its parameters.
    ///
    /// # Errors
    /// An output that is not shaped like the input, or no channel bias, without which the network could not know the timestep.
    pub fn finish(mut self, features: usize, hidden: usize, classes: usize) -> Result<Graph> {
        let output = self.shape(self.nodes.len() - 1);
        if output != self.input {
            return Err(Error::Invalid(format!(
                "the network turns {} into {output}, but must keep the shape",
                self.input
            )));
        }
        if self.columns == 0 || features < 2 || !features.is_multiple_of(2) || hidden == 0 {
            return Err(Error::Invalid(
                "the network has no channel bias or no time features, so it cannot know the timestep".into(),
            ));
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
        let class_table =
            self.params.push("conditioning.classes".into(), vec![classes + 1, columns], Init::Normal(CLASS_STD));
        let conditioning =
            Conditioning { features, hidden, classes, columns, layers, class_table, plans: vec![], plan_table: None };
        Ok(Graph { input: self.input, nodes: self.nodes, params: self.params, stats: self.stats, conditioning })
    }
}
