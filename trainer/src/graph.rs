//! The one description of a network: a flat list of nodes over named parameters.
//!
//! The same [`Graph`] drives initialisation, parameter and MAC counts, the training pass, the folded float network and, through
//! it, quantization and export. Activations are NHWC, weights OHWI. The conditioning network (time and class) stays on the host:
//! it yields one vector of *bias columns* an image, of which every [`Op::ChannelBias`] adds its own range.
use crate::{Error, Result};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::ops::Range;

/// The index of a node in [`Graph::nodes`]; inputs always have smaller ids than their users.
pub type NodeId = usize;

/// Height, width and channels of one image or activation. 1-D signals have height 1, vectors height and width 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
    /// Channels, the innermost axis.
    pub channels: usize,
}

impl Shape {
    /// A shape of `height` × `width` × `channels`.
    pub const fn new(height: usize, width: usize, channels: usize) -> Self {
        Self { height, width, channels }
    }

    /// Number of values.
    pub const fn len(self) -> usize {
        self.height * self.width * self.channels
    }

    /// Whether there is no value at all.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Number of positions: height × width.
    pub const fn pixels(self) -> usize {
        self.height * self.width
    }
}

impl std::fmt::Display for Shape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// A pointwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// x · sigmoid(x).
    Silu,
    /// max(x, 0).
    Relu,
}

/// Kernel, stride, zero padding and dilation of a convolution, each as [vertical, horizontal].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvGeometry {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Step between outputs.
    pub stride: [usize; 2],
    /// Zeros added on either side.
    pub pad: [usize; 2],
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// One filter a channel (groups = input channels = output channels) instead of a dense convolution.
    pub depthwise: bool,
}

impl ConvGeometry {
    /// A square kernel, padded so that stride 1 keeps the size.
    pub const fn square(kernel: usize, stride: usize) -> Self {
        let pad = kernel / 2;
        Self { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1; 2], depthwise: false }
    }

    /// A horizontal kernel for signals of height 1, padded so that the length is kept.
    pub const fn line(kernel: usize, dilation: usize) -> Self {
        Self {
            kernel: [1, kernel],
            stride: [1; 2],
            pad: [0, dilation * (kernel - 1) / 2],
            dilation: [1, dilation],
            depthwise: false,
        }
    }

    /// The same geometry with one filter a channel.
    pub const fn depthwise(self) -> Self {
        Self { depthwise: true, ..self }
    }

    /// Whether every output sees exactly the input at its own position.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1; 2] && self.stride == [1; 2] && self.pad == [0; 2]
    }

    /// Number of kernel taps.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Output height and width for an input of `height` × `width`.
    ///
    /// # Errors
    /// A zero kernel, stride or dilation, padding not smaller than the dilated kernel, or a kernel larger than the padded input.
    pub fn output(&self, height: usize, width: usize) -> Result<[usize; 2]> {
        let mut out = [0; 2];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
            if kernel == 0 || stride == 0 || dilation == 0 {
                return Err(Error::Invalid(
                    "a convolution needs a kernel, a stride and a dilation of at least 1".into(),
                ));
            }
            let reach = dilation * (kernel - 1) + 1;
            let padded = size + 2 * self.pad[axis];
            if self.pad[axis] >= reach || reach > padded {
                return Err(Error::Invalid(format!(
                    "a kernel reaching over {reach} with padding {} does not fit an input of {size}",
                    self.pad[axis]
                )));
            }
            out[axis] = (padded - reach) / stride + 1;
        }
        Ok(out)
    }
}

/// The start value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Init {
    /// Every value the same.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// A named block of the flat parameter (or statistics) vector.
#[derive(Clone, Debug, PartialEq)]
pub struct Block {
    /// Unique name, `layer.kind`.
    pub name: String,
    /// Dimensions; weights are [O][KH][KW][I].
    pub shape: Vec<usize>,
    /// Where the block lies in the flat vector.
    pub range: Range<usize>,
    /// Start value.
    pub init: Init,
}

/// The index of a [`Block`].
pub type BlockId = usize;

/// Named blocks laid one after another in one flat vector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Layout {
    /// The blocks in order.
    pub blocks: Vec<Block>,
}

impl Layout {
    fn push(&mut self, name: String, shape: Vec<usize>, init: Init) -> BlockId {
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.blocks.push(Block { name, shape, range, init });
        self.blocks.len() - 1
    }

    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |b| b.range.end)
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The part of the flat vector `values` that is block `id`.
    pub fn slice<'a>(&self, id: BlockId, values: &'a [f32]) -> &'a [f32] {
        &values[self.blocks[id].range.clone()]
    }

    /// Start values of all blocks, from a seed.
    pub fn init(&self, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::MAX);
        let mut values = Vec::with_capacity(self.len());
        for block in &self.blocks {
            values.extend(block.range.clone().map(|_| match block.init {
                Init::Constant(value) => value,
                Init::Normal(std) => std * rng.sample::<f32, _>(rand_distr::StandardNormal),
            }));
        }
        values
    }
}

/// A batch normalisation behind a convolution; it folds into the weights exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Norm {
    /// Scale, in the parameters.
    pub gamma: BlockId,
    /// Shift, in the parameters.
    pub beta: BlockId,
    /// Running mean, in the statistics.
    pub mean: BlockId,
    /// Running variance, in the statistics.
    pub variance: BlockId,
}

/// The term added to a variance before its root is taken.
pub const NORM_TINY: f32 = 1e-5;

/// What a node computes from its inputs.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// The state x_t.
    Input,
    /// Moves `block` × `block` pixels into channels; output channel (dy·block + dx)·C + c.
    SpaceToDepth {
        /// Side of the square.
        block: usize,
    },
    /// The inverse of [`Op::SpaceToDepth`].
    DepthToSpace {
        /// Side of the square.
        block: usize,
    },
    /// Convolution with OHWI weights (depthwise: [C][KH][KW][1]).
    Conv {
        /// Kernel, stride, padding, dilation, groups.
        geometry: ConvGeometry,
        /// Weights.
        weight: BlockId,
        /// Bias a channel; absent where a norm follows, which has its own.
        bias: Option<BlockId>,
        /// Batch normalisation of the result.
        norm: Option<Norm>,
    },
    /// Dense layer over all values of the input: weights [O][H·W·I], output 1×1×O.
    Linear {
        /// Weights.
        weight: BlockId,
        /// Bias.
        bias: BlockId,
    },
    /// Adds the image's bias columns `first..first + channels` to every pixel.
    ChannelBias {
        /// The first column.
        first: usize,
    },
    /// Non-linearity.
    Activation(Activation),
    /// Sum of two equal shapes.
    Add,
    /// Channels of the first input, then those of the second.
    Concat,
    /// Nearest neighbour, twice the height and width (twice the width only when the height is 1).
    Upsample,
}

/// One operation with its inputs and the shape of its result.
#[derive(Clone, Debug, PartialEq)]
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

/// The network on the host that turns a timestep and a class into bias columns:
/// columns(t, class) = W·silu(W₂·silu(W₁·features(t) + b₁) + b₂) + b + E\[class\].
#[derive(Clone, Debug, PartialEq)]
pub struct Conditioning {
    /// Number of sinusoidal features of t.
    pub features: usize,
    /// Width of the two hidden layers.
    pub hidden: usize,
    /// Number of classes; the table has one row more, the null class, for no class.
    pub classes: usize,
    /// Number of bias columns.
    pub columns: usize,
    /// Weight and bias of the three dense layers.
    pub layers: [(BlockId, BlockId); 3],
    /// The class table E, [classes + 1][columns].
    pub class_table: BlockId,
}

impl Conditioning {
    /// The sinusoidal features of timestep `t` (Vaswani et al. 2017, section 3.5): sines, then cosines.
    pub fn time_features(&self, t: usize) -> Vec<f32> {
        let half = self.features / 2;
        let angle = |i: usize| t as f64 * (-(i as f64) / half as f64 * 10_000f64.ln()).exp();
        let sines = (0..half).map(|i| angle(i).sin() as f32);
        sines.chain((0..half).map(|i| angle(i).cos() as f32)).collect()
    }
}

/// A network: nodes in an order in which they can be computed; the last one is the output F.
#[derive(Clone, Debug, PartialEq)]
pub struct Graph {
    /// Shape of x_t, and of the output.
    pub input: Shape,
    /// The nodes; node 0 is the input.
    pub nodes: Vec<Node>,
    /// Where every trained parameter lies, those of the conditioning network included.
    pub params: Layout,
    /// Where the running statistics of the norms lie.
    pub stats: Layout,
    /// The conditioning network.
    pub conditioning: Conditioning,
}

impl Graph {
    /// Multiply-accumulates of the convolutions and dense layers for one image; the conditioning network is not counted, since it
    /// does not run on the chip.
    pub fn macs(&self) -> usize {
        let macs = |node: &Node| {
            let input = |i: usize| self.nodes[node.inputs[i]].shape;
            match &node.op {
                Op::Conv { geometry, .. } => {
                    let fan_in = if geometry.depthwise { 1 } else { input(0).channels };
                    node.shape.len() * geometry.taps() * fan_in
                }
                Op::Linear { .. } => node.shape.len() * input(0).len(),
                _ => 0,
            }
        };
        self.nodes.iter().map(macs).sum()
    }

    /// Parameters that end up on the chip as weights and biases after folding (without the bias tables).
    pub fn weight_count(&self) -> usize {
        let size = |id: BlockId| self.params.blocks[id].range.len();
        let count = |node: &Node| match &node.op {
            Op::Conv { weight, .. } => size(*weight) + node.shape.channels,
            Op::Linear { weight, bias } => size(*weight) + size(*bias),
            _ => 0,
        };
        self.nodes.iter().map(count).sum()
    }

    /// The output node: the last one.
    pub fn output(&self) -> NodeId {
        self.nodes.len() - 1
    }
}

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
        let conditioning = Conditioning { features, hidden, classes, columns, layers, class_table };
        Ok(Graph { input: self.input, nodes: self.nodes, params: self.params, stats: self.stats, conditioning })
    }
}
