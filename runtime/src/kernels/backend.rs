//! What a backend is: kernels that are faster somewhere.

use super::add::{self, Add};
use super::arguments::Arguments;
use super::conv::{self, Conv};
use super::depthwise::{self, Depthwise};
use super::epilogue::Output;
use super::gate::{self, Gate};
use super::linear::{self, Linear};
use super::lut::{self, Lut};
use crate::cores::{Cores, Part};
use core::cell::Cell;

/// The kernels of an instruction set. A backend defines those that it has; of the others the portable ones run.
///
/// All trust that slices have the lengths that the shapes give and that no product of a shape overflows, as parsing and
/// [`Checked`](super::Checked) make sure.
pub trait Backend {
    /// Convolution of one image. `scratch` has at least [`conv_scratch`](super::conv_scratch) bytes.
    #[inline(always)]
    fn conv(cores: Cores, conv: &Conv, out: Output, scratch: &mut [i8]) {
        conv::share(cores, conv, out, scratch, |part, out, scratch| conv::portable(conv, part, out, scratch));
    }

    /// Depthwise convolution of one image. `scratch` has at least
    /// [`depthwise_scratch`](super::depthwise_scratch) bytes.
    #[inline(always)]
    fn depthwise(cores: Cores, conv: &Depthwise, out: &[Cell<i8>], scratch: &mut [i8]) {
        depthwise::share(cores, conv, scratch, |part, scratch| depthwise::portable(conv, part, out, scratch));
    }

    /// Fully connected layer.
    #[inline(always)]
    fn linear(linear: &Linear, part: Part, out: Output) {
        linear::portable(linear, part, out)
    }

    /// Elementwise sum of two tensors.
    #[inline(always)]
    fn add(add: &Add, out: &[Cell<i8>]) {
        add::portable(add, out)
    }

    /// Table lookup.
    #[inline(always)]
    fn lut(lut: &Lut, out: &[Cell<i8>]) {
        lut::portable(lut, out)
    }

    /// Elementwise product of two tensors behind a table each.
    #[inline(always)]
    fn gate(gate: &Gate, out: &[Cell<i8>]) {
        gate::portable(gate, out)
    }
}

/// The reference.
pub struct Portable;

impl Backend for Portable {}

/// Arguments that know their kernel.
pub trait Kernel: Arguments {
    /// The backend's kernel.
    fn run<B: Backend>(&self, cores: Cores, out: Output, scratch: &mut [i8]);
}

/// Has a kernel compute values from one on, by two cores where there are two.
#[inline(always)]
fn elementwise(cores: Cores, out: &[Cell<i8>], kernel: impl Fn(usize, &[Cell<i8>])) {
    let work = |part: Part, _: &mut [i8]| {
        let values = part.of(out.len(), 16);
        kernel(values.start, out.get(values).unwrap_or(&[]));
    };
    // SAFETY: a value's operands are no other value's, in place or not.
    unsafe { cores.share(|| 0, &mut [], work) }
}

impl Kernel for Conv<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, scratch: &mut [i8]) {
        B::conv(cores, self, out, scratch)
    }
}

impl Kernel for Depthwise<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, scratch: &mut [i8]) {
        if let Output::I8(out) = out {
            B::depthwise(cores, self, out, scratch)
        }
    }
}

impl Kernel for Linear<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, _: &mut [i8]) {
        // SAFETY: a part writes its outputs and reads the residuals of these.
        unsafe { cores.share(|| 0, &mut [], |part, _| B::linear(self, part, out)) }
    }
}

impl Kernel for Add<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            elementwise(cores, out, |first, out| B::add(&self.from(first), out));
        }
    }
}

impl Kernel for Lut<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            elementwise(cores, out, |first, out| B::lut(&self.from(first), out));
        }
    }
}

impl Kernel for Gate<'_> {
    #[inline(always)]
    fn run<B: Backend>(&self, cores: Cores, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            elementwise(cores, out, |first, out| B::gate(&self.from(first), out));
        }
    }
}
