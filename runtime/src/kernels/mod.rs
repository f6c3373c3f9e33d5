//! Inner loops of the integer network, and the argument types they share.
//!
//! [`portable`] is the permanent reference: safe Rust, any target. Every other backend computes the
//! same integers and is compared with it by `==`. Accumulators cannot overflow (parsing bounds them),
//! so a backend may add in any order.
//!
//! What a kernel may rely on, because parsing has checked it:
//! weights are in −127..=127; rows of weights start at multiples of 4 bytes and are zero beyond their
//! taps; biases and multipliers are aligned to their element size; every tensor starts at a multiple
//! of 4 bytes in the arena; slices have exactly the lengths that the shapes give.

pub mod portable;

// What several backends share; each uses a part.
#[cfg(any(feature = "helium", all(feature = "host-simd", target_arch = "x86_64")))]
mod bytes;
#[cfg(any(
    feature = "cortex-m-dsp",
    feature = "helium",
    feature = "armv7m",
    feature = "armv6m",
    feature = "rv32",
    all(feature = "host-simd", target_arch = "x86_64")
))]
mod epilogue;
#[cfg(any(
    feature = "helium",
    feature = "armv7m",
    feature = "armv6m",
    feature = "rv32",
    all(feature = "host-simd", target_arch = "x86_64")
))]
mod packing;
#[cfg(any(
    feature = "cortex-m-dsp",
    feature = "helium",
    feature = "armv7m",
    feature = "armv6m",
    feature = "rv32",
    all(feature = "host-simd", target_arch = "x86_64")
))]
mod ring;
#[cfg(any(feature = "armv7m", feature = "armv6m", feature = "rv32"))]
mod rows;
#[cfg(any(feature = "cortex-m-dsp", feature = "armv7m", feature = "armv6m", feature = "rv32"))]
mod tiled;

#[cfg(feature = "armv6m")]
pub mod armv6m;
#[cfg(feature = "armv7m")]
pub mod armv7m;
#[cfg(feature = "cortex-m-dsp")]
pub mod dsp;
#[cfg(feature = "cortex-m-dsp")]
mod dsp_rows;
#[cfg(feature = "helium")]
pub mod helium;
#[cfg(feature = "helium")]
mod helium_depthwise;
#[cfg(feature = "rv32")]
pub mod rv32;
#[cfg(all(feature = "host-simd", target_arch = "x86_64"))]
pub mod x86;
#[cfg(all(feature = "host-simd", target_arch = "x86_64"))]
mod x86_lanes;
#[cfg(all(feature = "host-simd", target_arch = "x86_64"))]
mod x86_tile;

#[cfg(feature = "armv6m")]
pub use armv6m as active;
#[cfg(feature = "armv7m")]
pub use armv7m as active;
#[cfg(feature = "cortex-m-dsp")]
pub use dsp as active;
#[cfg(feature = "helium")]
pub use helium as active;
#[cfg(not(any(
    feature = "cortex-m-dsp",
    feature = "helium",
    feature = "armv7m",
    feature = "armv6m",
    feature = "rv32",
    all(feature = "host-simd", target_arch = "x86_64")
)))]
pub use portable as active;
#[cfg(feature = "rv32")]
pub use rv32 as active;
#[cfg(all(feature = "host-simd", target_arch = "x86_64"))]
pub use x86 as active;

const _: () = assert!(
    cfg!(feature = "cortex-m-dsp") as u8
        + cfg!(feature = "helium") as u8
        + cfg!(feature = "armv7m") as u8
        + cfg!(feature = "armv6m") as u8
        + cfg!(feature = "rv32") as u8
        + cfg!(feature = "host-simd") as u8
        <= 1,
    "at most one kernel backend: choose one of the features cortex-m-dsp, helium, armv7m, armv6m, rv32, host-simd"
);

/// An activation tensor as a kernel sees it: NHWC, batch 1.
#[derive(Clone, Copy, Debug)]
pub struct Source<'a> {
    /// `height·width·channels` values.
    pub data: &'a [i8],
    /// Rows as stored.
    pub height: usize,
    /// Columns as stored.
    pub width: usize,
    /// Values a pixel.
    pub channels: usize,
    /// 0: read as stored; 1: read enlarged twofold, nearest neighbour.
    pub upsample: u8,
    /// The value that stands for real 0; padding takes it.
    pub zero_point: i8,
}

/// The window of a convolution over its (enlarged) input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of taps.
    pub kernel: [usize; 2],
    /// Distance between outputs.
    pub stride: [usize; 2],
    /// Padding above and to the left; below and to the right it follows from the output shape.
    pub pad: [usize; 2],
    /// Distance between taps.
    pub dilation: [usize; 2],
}

/// A tensor added to a convolution's result before its rounding.
#[derive(Clone, Copy, Debug)]
pub struct Residual<'a> {
    /// Same shape as the output; `None` when the output buffer holds it (in place).
    pub data: Option<&'a [i8]>,
    /// Adds `⌊value·multiplier / 2^shift⌋`; the residual's zero point is folded into `offset`.
    pub multiplier: i16,
    /// See `multiplier`.
    pub shift: u8,
}

/// How accumulators become outputs:
/// `q = (scale(acc, multipliers[o]) + ⌊residual·m/2^s⌋ + offset) >> shift`, clamped, then looked up.
#[derive(Clone, Copy, Debug)]
pub struct Epilogue<'a> {
    /// What the accumulator of an output channel starts from.
    pub bias: &'a [i32],
    /// One an output channel, see [`quant`](crate::quant).
    pub multipliers: &'a [i16],
    /// Half a unit, the output zero point and the residual's zero point, all scaled by `2^shift`.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
    /// A tensor to add first.
    pub residual: Option<Residual<'a>>,
    /// Activation: `lut[q + 128]`. Only for i8 outputs.
    pub lut: Option<&'a [i8; 256]>,
}

/// A dense or grouped convolution. With two sources it reads their concatenation along the channels.
#[derive(Clone, Copy, Debug)]
pub struct Conv<'a> {
    /// First source, and the one that follows it along the channels.
    pub sources: (Source<'a>, Option<Source<'a>>),
    /// Taps, strides, padding.
    pub window: Window,
    /// Output rows, columns, channels.
    pub output: [usize; 3],
    /// 1, or a divisor of both channel counts; depthwise has its own kernel.
    pub groups: usize,
    /// `[out_channels][row_stride]`, a row being `[kernel_h][kernel_w][channels / groups]` and zeros
    /// up to [`row_stride`].
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

/// A depthwise convolution: output channel c reads input channel c alone.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a> {
    /// The input. `source.data` is empty when the output buffer holds it (in place), which needs
    /// [`depthwise_in_place`].
    pub source: Source<'a>,
    /// Taps, strides, padding.
    pub window: Window,
    /// Output rows and columns; the channels are the source's.
    pub output: [usize; 2],
    /// `[kernel_h][kernel_w][channels]`.
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

/// A fully connected layer: `out[o] = Σ weights[o][i]·input[i]`.
#[derive(Clone, Copy, Debug)]
pub struct Linear<'a> {
    /// The inputs.
    pub input: &'a [i8],
    /// `[outputs][row_stride]`, zeros beyond the inputs.
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

/// An elementwise sum: `q = clamp((a·m_a + b·m_b + offset) >> shift)`, then looked up.
#[derive(Clone, Copy, Debug)]
pub struct Add<'a> {
    /// First operand; `None` when the output buffer holds it (in place).
    pub a: Option<&'a [i8]>,
    /// Second operand.
    pub b: &'a [i8],
    /// Multipliers of a and b.
    pub multipliers: [i16; 2],
    /// Zero points and rounding.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
    /// Activation.
    pub lut: Option<&'a [i8; 256]>,
}

/// Where a convolution or linear layer writes.
#[derive(Debug)]
pub enum Output<'a> {
    /// Activations.
    I8(&'a mut [i8]),
    /// The network's last layer.
    I16(&'a mut [i16]),
}

/// Bytes from one row of weights to the next: the taps, rounded up to 4.
pub const fn row_stride(taps: usize) -> usize {
    taps.div_ceil(4) * 4
}

/// Output pixels whose patches a backend holds at a time: 4, or 2 where four would take too much scratch.
pub const fn pixel_tile(taps: usize) -> usize {
    if row_stride(taps) <= 320 {
        4
    } else {
        2
    }
}

/// Bytes of scratch that [`active::conv`] needs for `taps` = `kernel_h·kernel_w·(all input channels)`.
///
/// One patch of the input a pixel of the tile, widened to 16 bits, and room to round rows up.
pub const fn conv_scratch(taps: usize) -> usize {
    pixel_tile(taps) * 2 * row_stride(taps) + 64
}

/// Bytes of scratch that [`active::depthwise`] needs for `output` columns.
///
/// Eight bytes a column of the padded rows under the window (four channels in 16 bits, or eight in 8), and the
/// weights of these channels.
pub const fn depthwise_scratch(window: &Window, columns: usize) -> usize {
    let [height, width] = window.span(columns);
    8 * (height * width + 2 * window.kernel[0] * window.kernel[1]) + 32
}

/// Whether a depthwise convolution may write over its input, given equal input and output shapes.
pub const fn depthwise_in_place(window: &Window, upsample: u8) -> bool {
    upsample == 0
        && window.stride[0] == 1
        && window.stride[1] == 1
        && window.pad[0] <= (window.kernel[0].saturating_sub(1)) * window.dilation[0]
}

impl Window {
    /// Input rows under one output row, and input columns under `columns` outputs.
    pub const fn span(&self, columns: usize) -> [usize; 2] {
        let reach = [
            self.kernel[0].saturating_sub(1) * self.dilation[0] + 1,
            self.kernel[1].saturating_sub(1) * self.dilation[1] + 1,
        ];
        [reach[0], columns.saturating_sub(1) * self.stride[1] + reach[1]]
    }
}
