//! What a backend is: kernels that are faster somewhere.

use super::add::{self, Add};
use super::arguments::Arguments;
use super::conv::{self, Conv};
use super::depthwise::{self, Depthwise};
use super::epilogue::Output;
use super::gate::{self, Gate};
use super::linear::{self, Linear};
use super::lut::{self, Lut};

/// The kernels of an instruction set. A backend defines those that it has; of the others the portable ones run.
///
/// All trust that slices have the lengths that the shapes give and that no product of a shape overflows, as parsing and
/// [`Checked`](super::Checked) make sure.
pub trait Backend {
    /// Convolution of one image. `scratch` has at least [`conv_scratch`](super::conv_scratch) bytes.
    #[inline(always)]
    fn conv(conv: &Conv, out: Output, scratch: &mut [i8]) {
        conv::portable(conv, out, scratch)
    }

    /// Depthwise convolution of one image. `scratch` has at least
    /// [`depthwise_scratch`](super::depthwise_scratch) bytes.
    #[inline(always)]
    fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
        depthwise::portable(conv, out, scratch)
    }

    /// Fully connected layer.
    #[inline(always)]
    fn linear(linear: &Linear, out: Output) {
        linear::portable(linear, out)
    }

    /// Elementwise sum of two tensors.
    #[inline(always)]
    fn add(add: &Add, out: &mut [i8]) {
        add::portable(add, out)
    }

    /// Table lookup.
    #[inline(always)]
    fn lut(lut: &Lut, out: &mut [i8]) {
        lut::portable(lut, out)
    }

    /// Elementwise product of two tensors behind a table each.
    #[inline(always)]
    fn gate(gate: &Gate, out: &mut [i8]) {
        gate::portable(gate, out)
    }
}

/// The reference.
pub struct Portable;

impl Backend for Portable {}

/// Arguments that know their kernel.
pub trait Kernel: Arguments {
    /// The backend's kernel.
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]);
}

impl Kernel for Conv<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]) {
        B::conv(self, out, scratch)
    }
}

impl Kernel for Depthwise<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]) {
        if let Output::I8(out) = out {
            B::depthwise(self, out, scratch)
        }
    }
}

impl Kernel for Linear<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        B::linear(self, out)
    }
}

impl Kernel for Add<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            B::add(self, out)
        }
    }
}

impl Kernel for Lut<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            B::lut(self, out)
        }
    }
}

impl Kernel for Gate<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            B::gate(self, out)
        }
    }
}
