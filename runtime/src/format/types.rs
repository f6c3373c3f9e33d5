//! What the header holds. Offsets named after tables count bytes from the start of the weight blob;
//! a tensor's offset counts bytes from the start of the arena.

use serde::Serialize;

/// Type of a tensor's elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Element {
    /// Activations.
    I8,
    /// The network's output.
    I16,
}

impl Element {
    /// Bytes an element.
    pub const fn size(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
        }
    }
}

/// A tensor in the arena: NHWC, batch 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tensor {
    /// Start in the arena.
    pub offset: u32,
    /// Height, width, channels.
    pub shape: [u16; 3],
    /// Type of the elements.
    pub element: Element,
    /// The value that stands for real 0.
    pub zero_point: i8,
}

impl Tensor {
    /// Number of values.
    pub const fn values(&self) -> usize {
        self.shape[0] as usize * self.shape[1] as usize * self.shape[2] as usize
    }

    /// Bytes in the arena.
    pub const fn len(&self) -> usize {
        self.values() * self.element.size()
    }

    /// Whether a dimension is zero.
    pub const fn is_empty(&self) -> bool {
        self.values() == 0
    }

    /// Its bytes in the arena.
    pub fn range(&self) -> core::ops::Range<usize> {
        let start = self.offset as usize;
        start..start.saturating_add(self.len())
    }
}

/// An input of a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ConvInput {
    /// The tensor.
    pub tensor: Tensor,
    /// Whether it is read enlarged twofold (nearest neighbour).
    pub upsample: bool,
}

/// Channel biases that depend on the step: columns of the time and class tables, added to the
/// accumulator as `value << shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct StepBias {
    /// First column; one column an output channel.
    pub column: u32,
    /// Left shift of the table's values.
    pub shift: u8,
}

/// A tensor added before the rounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Residual {
    /// The tensor; it may be the output itself (in place).
    pub tensor: Tensor,
    /// Adds `⌊value·multiplier / 2^shift⌋`.
    pub multiplier: i16,
    /// See `multiplier`.
    pub shift: u8,
}

/// From accumulators to outputs; see [`Epilogue`](crate::kernels::Epilogue).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Requantization {
    /// i32 an output channel; the input zero point is folded in.
    pub bias: u32,
    /// i16 an output channel.
    pub multipliers: u32,
    /// Rounding and zero points.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
    /// Bias that depends on the step and the class.
    pub step_bias: Option<StepBias>,
    /// A tensor to add.
    pub residual: Option<Residual>,
    /// 256 values of i8, indexed by `q + 128`.
    pub lut: Option<u32>,
}

/// Dense or grouped convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conv2d {
    /// First input.
    pub a: ConvInput,
    /// Second input, whose channels follow those of the first.
    pub b: Option<ConvInput>,
    /// Result.
    pub output: Tensor,
    /// Taps, strides, padding.
    pub window: WindowSpec,
    /// Groups of channels.
    pub groups: u16,
    /// i8, `[out_channels][row_stride]`.
    pub weights: u32,
    /// Epilogue.
    pub requantization: Requantization,
    /// Start of the scratch in the arena.
    pub scratch: u32,
}

/// Depthwise convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Depthwise {
    /// Input.
    pub input: ConvInput,
    /// Result.
    pub output: Tensor,
    /// Taps, strides, padding.
    pub window: WindowSpec,
    /// i8, `[kernel_h][kernel_w][channels]`.
    pub weights: u32,
    /// Epilogue.
    pub requantization: Requantization,
    /// Start of the scratch in the arena.
    pub scratch: u32,
}

/// Fully connected layer over all values of its input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Linear {
    /// Input, read as one vector.
    pub input: Tensor,
    /// Result, written as one vector.
    pub output: Tensor,
    /// i8, `[outputs][row_stride]`.
    pub weights: u32,
    /// Epilogue.
    pub requantization: Requantization,
    /// Start of the scratch in the arena.
    pub scratch: u32,
}

/// A layer whose weights have four bits, −7..=7: rows as with eight bits, two weights a byte, the first in the low half.
///
/// Its rows are unpacked to the scratch, `block` output channels at a time, and then read as eight-bit ones: larger blocks
/// read the input less often and need more scratch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Packed<T> {
    /// The layer; a convolution has one group.
    pub layer: T,
    /// Output channels unpacked at a time, at least 1.
    pub block: u16,
}

/// Elementwise sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Add {
    /// First operand; it may be the output itself (in place).
    pub a: Tensor,
    /// Second operand.
    pub b: Tensor,
    /// Result.
    pub output: Tensor,
    /// Multipliers of a and b.
    pub multipliers: [i16; 2],
    /// Rounding and zero points.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
    /// Activation.
    pub lut: Option<u32>,
}

/// Channel bias of a step on its own: `q = (value·multiplier + bias + offset) >> shift`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelBias {
    /// Input; it may be the output itself.
    pub input: Tensor,
    /// Result.
    pub output: Tensor,
    /// Where the biases come from.
    pub step_bias: StepBias,
    /// Factor of the input.
    pub multiplier: i16,
    /// Rounding and zero points.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
}

/// An op that only moves values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Move {
    /// Input.
    pub input: Tensor,
    /// Result.
    pub output: Tensor,
    /// Rows and columns of a block of pixels: the factors of an enlargement, or the block that turns into channels.
    pub block: [u8; 2],
}

/// Channels of `a`, then those of `b`, with the same scale and zero point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Concat {
    /// First input.
    pub a: Tensor,
    /// Second input.
    pub b: Tensor,
    /// Result.
    pub output: Tensor,
}

/// Activation by table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Lut {
    /// Input; it may be the output itself.
    pub input: Tensor,
    /// Result.
    pub output: Tensor,
    /// 256 values of i8, indexed by `q + 128`.
    pub table: u32,
}

/// One entry of the network's flat list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[allow(missing_docs)]
pub enum Op {
    Conv2d(Conv2d),
    Depthwise(Depthwise),
    Linear(Linear),
    Add(Add),
    ChannelBias(ChannelBias),
    Upsample(Move),
    Concat(Concat),
    Lut(Lut),
    SpaceToDepth(Move),
    DepthToSpace(Move),
    PackedConv2d(Packed<Conv2d>),
    PackedLinear(Packed<Linear>),
}

/// Taps, strides, padding and dilation, each (vertical, horizontal).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct WindowSpec {
    /// Taps.
    pub kernel: [u16; 2],
    /// Distance between outputs.
    pub stride: [u16; 2],
    /// Padding above and to the left.
    pub pad: [u16; 2],
    /// Distance between taps.
    pub dilation: [u16; 2],
}

/// The tables of channel biases, i16, `[rows][columns]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conditioning {
    /// Columns of both tables.
    pub columns: u32,
    /// Rows of the time table.
    pub time_rows: u32,
    /// Start of the time table.
    pub time_table: u32,
    /// Classes; 0 for a model without.
    pub classes: u16,
    /// Start of the class table: `classes + 1` rows, the last for no class.
    pub class_table: u32,
}

/// A plan as the header names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlanHeader<'a> {
    /// Name, unique in the model; 1 to [`MAX_PLAN_NAME`](super::MAX_PLAN_NAME) bytes.
    pub name: &'a str,
    /// Number of steps.
    pub steps: u16,
    /// Start of the steps, [`STEP_LEN`](crate::plan::STEP_LEN) bytes each.
    pub table: u32,
    /// Whether x0_hat is clipped to [-1, 1].
    pub clip: bool,
}

/// The postcard-encoded header.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Header<'a> {
    /// Name of the model.
    pub name: &'a str,
    /// Where it comes from: TOML with the training command, data, seed.
    pub provenance: &'a str,
    /// Where the network reads x_t; i8.
    pub input: Tensor,
    /// 1/scale of the input.
    pub input_inverse_scale: f32,
    /// Where the network leaves F; i16.
    pub output: Tensor,
    /// Scale of the output.
    pub output_scale: f32,
    /// Channel biases.
    pub conditioning: Conditioning,
    /// Number of plans.
    pub plan_count: u16,
    /// [`PlanHeader`]s, one after the other.
    pub plans: &'a [u8],
    /// Number of ops.
    pub op_count: u16,
    /// [`Op`]s, one after the other.
    pub ops: &'a [u8],
}
