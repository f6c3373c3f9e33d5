//! What a backend is: kernels that are faster somewhere.

use super::arguments::{Add, Conv, Depthwise, Linear, Lut};
use super::epilogue::Output;
use super::portable;

/// The kernels of an instruction set. A backend defines those that it has; of the others the portable ones run.
///
/// All trust that slices have the lengths that the shapes give and that no product of a shape overflows, as parsing and
/// [`Checked`](super::Checked) make sure.
pub trait Backend {
    /// Convolution of one image. `scratch` has at least [`conv_scratch`](super::conv_scratch) bytes.
    #[inline(always)]
    fn conv(conv: &Conv, out: Output, scratch: &mut [i8]) {
        portable::conv(conv, out, scratch)
    }

    /// Depthwise convolution of one image. `scratch` has at least
    /// [`depthwise_scratch`](super::depthwise_scratch) bytes.
    #[inline(always)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        portable::depthwise(conv, out, scratch)
    }

    /// Fully connected layer.
    #[inline(always)]
    fn linear(linear: &Linear, out: Output) {
        portable::linear(linear, out)
    }

    /// Elementwise sum of two tensors.
    #[inline(always)]
    fn add(add: &Add, out: &mut [i8]) {
        portable::add(add, out)
    }

    /// Table lookup.
    #[inline(always)]
    fn lut(lut: &Lut, out: &mut [i8]) {
        portable::lut(lut, out)
    }
}

/// The reference.
pub struct Portable;

impl Backend for Portable {}
