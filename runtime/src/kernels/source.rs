//! What a convolution reads: a tensor, and the window that moves over it.

use core::cell::Cell;

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

impl<'a> Source<'a> {
    /// The channels at (y, x) of the enlarged input, or `None` in the padding.
    #[inline(always)]
    pub(super) fn pixel(&self, y: usize, x: usize) -> Option<&'a [i8]> {
        let (y, x) = (y >> (self.upsample & 1), x >> (self.upsample & 1));
        if y >= self.height || x >= self.width {
            return None;
        }
        self.data.get((y * self.width + x) * self.channels..)?.get(..self.channels)
    }

    /// Channel `c` at (y, x) of the enlarged input, from `out` if it holds the input; padding included.
    #[inline(always)]
    pub(super) fn value(&self, out: &[Cell<i8>], y: usize, x: usize, c: usize) -> i8 {
        let (y, x) = (y >> (self.upsample & 1), x >> (self.upsample & 1));
        if y >= self.height || x >= self.width {
            return self.zero_point;
        }
        let index = (y * self.width + x) * self.channels + c;
        let value = if self.data.is_empty() { out.get(index).map(Cell::get) } else { self.data.get(index).copied() };
        value.unwrap_or(0)
    }

    /// Whether the slice has the values that the shape says.
    pub(super) fn is_whole(&self) -> bool {
        self.data.len() >= self.height * self.width * self.channels
    }
}
