//! How weights are laid out, and the scratch that kernels need: the same for every backend, since model files hold these
//! sizes.

use super::source::Window;

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

/// Bytes of scratch that a convolution needs for `taps` = `kernel_h·kernel_w·(all input channels)`.
///
/// One patch of the input a pixel of the tile, widened to 16 bits, and room to round rows up.
pub const fn conv_scratch(taps: usize) -> usize {
    pixel_tile(taps) * 2 * row_stride(taps) + 64
}

/// Bytes of scratch that a depthwise convolution needs for `output` columns.
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
