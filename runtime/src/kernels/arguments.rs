//! What each kernel works on.

use super::epilogue::Epilogue;
use super::source::{Source, Window};

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
    /// up to [`row_stride`](super::row_stride).
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

/// A depthwise convolution: output channel c reads input channel c alone.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a> {
    /// The input. `source.data` is empty when the output buffer holds it (in place), which needs
    /// [`depthwise_in_place`](super::depthwise_in_place).
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

/// Replaces every value by `table[value + 128]`.
#[derive(Clone, Copy, Debug)]
pub struct Lut<'a> {
    /// The values; `None` when the output buffer holds them (in place).
    pub input: Option<&'a [i8]>,
    /// What becomes of −128, −127 and so on.
    pub table: &'a [i8; 256],
}
