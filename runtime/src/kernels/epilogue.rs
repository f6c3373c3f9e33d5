//! How a kernel's sums become outputs, and where these go.

use core::cell::Cell;

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

/// Where a convolution or linear layer writes. Two cores may hold it at a time, each of which writes other values.
#[derive(Clone, Copy, Debug)]
pub enum Output<'a> {
    /// Activations.
    I8(&'a [Cell<i8>]),
    /// The network's last layer.
    I16(&'a [Cell<i16>]),
}

/// Where values are written that are told apart by their addresses.
#[inline(always)]
pub(super) fn start_of<T>(values: &[Cell<T>]) -> *mut T {
    // A cell is laid out as what it holds, and lets it be written.
    values.as_ptr().cast_mut().cast()
}

impl Epilogue<'_> {
    /// Whether the slices suffice for `channels` channels and `values` outputs.
    pub(super) fn is_whole(&self, channels: usize, values: usize, out: &Output) -> bool {
        let residual = self.residual.and_then(|r| r.data).is_none_or(|d| d.len() >= values);
        residual && out.len() >= values && self.bias.len() >= channels && self.multipliers.len() >= channels
    }
}

impl Output<'_> {
    /// Values that it has room for.
    pub(super) fn len(&self) -> usize {
        match self {
            Output::I8(out) => out.len(),
            Output::I16(out) => out.len(),
        }
    }
}
