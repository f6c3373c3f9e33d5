//! The one description of a network: a flat list of nodes over named parameters.
//!
//! The same [`Graph`] drives initialisation, parameter and MAC counts, the training pass, the folded float network and, through
//! it, quantization and export. Activations are NHWC, weights OHWI. The conditioning network (time and class) stays on the host:
//! it yields one vector of *bias columns* an image, of which every [`Op::ChannelBias`] adds its own range.
mod builder;
mod folded;
mod layout;

use crate::{Error, Result};
pub use builder::{Builder, ConvOptions};
pub use layout::{Block, BlockId, Init, Layout};

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
    /// Convolution with OHWI weights (depthwise: `[C][KH][KW][1]`).
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
    /// Dense layer over all values of the input: weights `[O][H·W·I]`, output 1×1×O.
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
    /// The class table E, `[classes + 1][columns]`.
    pub class_table: BlockId,
    /// Plans whose steps have rows of their own.
    pub plans: Vec<TunedPlan>,
    /// Rows added for the steps of [`Self::plans`], `[1 + steps of all plans][columns]`; row 0 is for every other timestep.
    pub plan_table: Option<BlockId>,
}

/// A plan that a network was fine-tuned for.
#[derive(Clone, Debug, PartialEq)]
pub struct TunedPlan {
    /// Its name.
    pub name: String,
    /// The timestep of every step.
    pub timesteps: Vec<u32>,
}

impl Conditioning {
    /// The row of the plan table for a step of the plan called `name` at timestep `t`: 0 unless the network was tuned for it.
    pub fn plan_row(&self, name: &str, step: usize, t: u32) -> usize {
        let mut first = 1;
        for plan in &self.plans {
            if plan.name == name && plan.timesteps.get(step) == Some(&t) {
                return first + step;
            }
            first += plan.timesteps.len();
        }
        0
    }

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
