//! What Winograd's algorithm needs of a convolution, and how much scratch it takes.
//!
//! F(4, 3) along rows: four outputs next to each other take 6 products for every three taps of a row of the window
//! instead of 12. The proof that its sums are those of the portable kernel, bit by bit, is in the book's page on
//! determinism.

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
/// Outputs are cut into *bands* of `rows` rows and, along rows, into tiles of four columns: a *lane* is a tile's column
/// of `rows` tiles. Four lanes are a group; the inputs of `groups` groups lie in scratch at a time, transformed, and the
/// weights are transformed once for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Winograd {
    /// Rows of outputs in a band, at least 1.
    pub rows: usize,
    /// Groups of lanes whose inputs are transformed at a time, at least 1.
    pub groups: usize,
}

impl Winograd {
    /// The most products in a sum: |Σ w·x| < 2^28, |w·x| being at most 127·128.
    pub const MAX_TAPS: usize = (1 << 28) / (127 * 128);

    /// Bytes of scratch for this many rows of taps and input channels: transformed inputs and weights, four lanes' sums,
    /// a window of inputs, and where lanes lie.
    pub const fn scratch(&self, kernel_rows: usize, channels: usize) -> usize {
        self.groups * (self.group_len(kernel_rows, channels) + 32) + 24 * kernel_rows * channels + 6 * channels + 200
    }

    /// Bytes of a group's transformed inputs.
    pub(super) const fn group_len(&self, kernel_rows: usize, channels: usize) -> usize {
        48 * channels * (self.rows + kernel_rows - 1)
    }

    /// Whether a convolution with this window over sources of these channels can be computed so: three columns of taps,
    /// no strides, no distance between rows of taps, whole words of channels, sums below 2^28.
    pub const fn applies(window: &Window, channels: [usize; 2]) -> bool {
        window.kernel[1] == 3
            && window.kernel[0] > 0
            && window.stride[0] == 1
            && window.stride[1] == 1
            && (window.dilation[0] == 1 || window.kernel[0] == 1)
            && channels[0].is_multiple_of(4)
            && channels[1].is_multiple_of(4)
            && row_stride(window.kernel[0] * 3 * (channels[0] + channels[1])) <= Self::MAX_TAPS
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
