//! What Winograd's algorithm needs of a convolution, and how much scratch it takes.
//!
//! F(4, 3) along rows: four outputs next to each other take 6 products for every three taps of a row of the window
//! instead of 12. F(2, 3) down columns as well: two rows of four outputs take 24 products for 3×3 taps instead of 72.
//! The proof that the sums are those of the portable kernel, bit by bit, is in the book's page on determinism.

use super::scratch::row_stride;
use super::source::Window;

/// At least 1, as parsing has made sure.
const fn positive(n: usize) -> usize {
    if n == 0 {
        1
    } else {
        n
    }
}

/// How a convolution is cut for Winograd's algorithm. Backends without it ignore this and the scratch; what is computed
/// is the same.
///
/// Outputs are cut into *bands* of `rows` rows and, along rows, into tiles of four columns and `tile_rows` rows: a *lane*
/// is a column of tiles in a band. Four lanes are a group; the inputs of `groups` groups lie in scratch at a time, transformed, and the
/// weights are transformed once for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Winograd {
    /// Rows of outputs in a band, at least 1.
    pub rows: usize,
    /// Groups of lanes whose inputs are transformed at a time, at least 1.
    pub groups: usize,
    /// Rows of outputs in a tile: 1, or 2, which takes fewer products and more scratch.
    pub tile_rows: usize,
}

impl Winograd {
    /// The most products in a sum, by rows of a tile: |Σ w·x| < 2^28, or 2^27 for two rows, |w·x| being at most 127·128.
    pub const fn max_taps(tile_rows: usize) -> usize {
        (1 << (29 - tile_rows)) / (127 * 128)
    }

    /// Bytes of scratch for this many rows of taps and input channels: transformed inputs and weights, four lanes' sums,
    /// a window of inputs, and where lanes lie.
    pub const fn scratch(&self, kernel_rows: usize, channels: usize) -> usize {
        let lanes = self.groups * (self.group_len(kernel_rows, channels) + 32);
        lanes + self.values(kernel_rows) * 4 * channels + 6 * channels + 192 * self.tile_rows + 8
    }

    /// Bytes of scratch that a second core needs, which reads the inputs that the two have transformed: weights, four lanes'
    /// sums, a window of inputs.
    #[cfg(feature = "two-cores")]
    pub const fn second_scratch(&self, kernel_rows: usize, channels: usize) -> usize {
        self.values(kernel_rows) * 4 * channels + 6 * channels + 192 * self.tile_rows + 8
    }

    /// Transformed weights of two output channels, or two inputs of a tile's row, for each input channel.
    pub(super) const fn values(&self, kernel_rows: usize) -> usize {
        6 * if self.tile_rows == 2 { 4 } else { kernel_rows }
    }

    /// Bytes of a group's transformed inputs.
    pub(super) const fn group_len(&self, kernel_rows: usize, channels: usize) -> usize {
        if self.tile_rows == 2 {
            192 * channels * self.rows.div_ceil(2)
        } else {
            48 * channels * (self.rows + kernel_rows - 1)
        }
    }

    /// Whether a convolution with this window over sources of these channels can be computed so: three columns of taps,
    /// and of rows where tiles have two, no strides, no distance between rows of taps, whole words of channels, sums that
    /// are small enough.
    pub const fn applies(tile_rows: usize, window: &Window, channels: [usize; 2]) -> bool {
        window.kernel[1] == 3
            && window.kernel[0] > 0
            && (tile_rows == 1 || tile_rows == 2 && window.kernel[0] == 3)
            && window.stride[0] == 1
            && window.stride[1] == 1
            && (window.dilation[0] == 1 || window.kernel[0] == 1)
            && channels[0].is_multiple_of(4)
            && channels[1].is_multiple_of(4)
            && row_stride(window.kernel[0] * 3 * (channels[0] + channels[1])) <= Self::max_taps(tile_rows)
    }

    /// Lanes of an output of this height and width, under a window that is this far spread along rows.
    pub const fn lanes(&self, output: [usize; 2], dilation: usize) -> usize {
        let [phases, tiles] = Self::across(output[1], dilation);
        output[0].div_ceil(positive(self.rows)) * phases * tiles
    }

    /// How outputs of a row are cut: every `dilation`-th column belongs together, and four of these are a tile.
    pub(super) const fn across(width: usize, dilation: usize) -> [usize; 2] {
        let phases = if dilation < width { dilation } else { width };
        [phases, width.div_ceil(positive(dilation)).div_ceil(4)]
    }
}
