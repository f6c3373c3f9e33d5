//! Kernels for whoever has no parsed model: arguments are checked before anything runs.

use super::active::Active;
use super::arguments::{Add, Conv, Depthwise, Linear, Lut};
use super::backend::{Backend, Portable};
use super::epilogue::{Epilogue, Output};
use super::scratch::{conv_scratch, depthwise_in_place, depthwise_scratch, row_stride};
use super::source::{Source, Window};

/// A kernel's arguments, its output and its scratch, of which everything has been checked that kernels rely on.
///
/// ```
/// use brownian::kernels::{Add, Checked};
///
/// let add = Add { a: Some(&[1, 2, 3]), b: &[10, 20, 30], multipliers: [1, 1], offset: 0, shift: 0, lut: None };
/// let mut sums = [0i8; 3];
/// Checked::new(&add, &mut sums, &mut [])?.run();
/// assert_eq!(sums, [11, 22, 33]);
/// # Ok::<(), brownian::kernels::Misfit>(())
/// ```
#[derive(Debug)]
pub struct Checked<'c, K, E = i8> {
    kernel: &'c K,
    out: &'c mut [E],
    scratch: &'c mut [i8],
}

impl<'c, K: Kernel, E: Value> Checked<'c, K, E> {
    /// Checks a [`Conv`], [`Depthwise`], [`Linear`], [`Add`] or [`Lut`] against its output and its scratch. Only a
    /// convolution or a linear layer writes i16; the last three need no scratch.
    ///
    /// # Errors
    /// What does not fit the shapes.
    pub fn new(kernel: &'c K, out: &'c mut [E], scratch: &'c mut [i8]) -> Result<Self, Misfit> {
        kernel.check(&E::output(out), scratch.len())?;
        Ok(Self { kernel, out, scratch })
    }

    /// Runs the kernel of this build's backend.
    #[inline(always)]
    pub fn run(&mut self) {
        self.kernel.run::<Active>(E::output(self.out), self.scratch);
    }

    /// Runs the portable kernel, the reference.
    #[inline(always)]
    pub fn run_portable(&mut self) {
        self.kernel.run::<Portable>(E::output(self.out), self.scratch);
    }
}

/// What a kernel writes: i8 or i16.
pub trait Value: Sized {
    /// The output that these values are.
    fn output(values: &mut [Self]) -> Output<'_>;
}

impl Value for i8 {
    #[inline(always)]
    fn output(values: &mut [i8]) -> Output<'_> {
        Output::I8(values)
    }
}

impl Value for i16 {
    #[inline(always)]
    fn output(values: &mut [i16]) -> Output<'_> {
        Output::I16(values)
    }
}

/// What is wrong with a kernel's arguments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misfit {
    /// A dimension that must not be 0 is, groups do not divide the channels, or a product is beyond 2^31.
    Shape,
    /// An input is shorter than its shape.
    Input,
    /// There are fewer weights than the shapes need.
    Weights,
    /// Bias, multipliers or residual are too short, or a 16-bit output has a residual or a table.
    Epilogue,
    /// The output has too little room, the wrong element, or may not hold the input.
    Output,
    /// The scratch is too short.
    Scratch,
}

impl core::fmt::Display for Misfit {
    fn fmt(&self, f: &mut core::fmt::Formatter) -> core::fmt::Result {
        f.write_str(match self {
            Self::Shape => "a dimension is 0 or too large, or the groups do not divide the channels",
            Self::Input => "an input is shorter than its shape",
            Self::Weights => "there are fewer weights than the shapes need",
            Self::Epilogue => "bias, multipliers or residual are too short, or do not go with the output",
            Self::Output => "the output is too short, of the wrong element, or may not hold the input",
            Self::Scratch => "the scratch is too short",
        })
    }
}

impl core::error::Error for Misfit {}

/// Arguments that know their kernel.
pub trait Kernel {
    /// Whether `run` may be called with this output and so many bytes of scratch.
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit>;

    /// The backend's kernel.
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]);
}

/// Shapes have products below this, and so do addresses on every target.
const LIMIT: usize = i32::MAX as usize;

/// The product of positive factors.
fn product(factors: &[usize]) -> Result<usize, Misfit> {
    let product = factors.iter().try_fold(1usize, |product, &factor| product.checked_mul(factor));
    product.filter(|product| (1..=LIMIT).contains(product)).ok_or(Misfit::Shape)
}

/// `Ok` where `holds`, else the misfit.
fn ensure(holds: bool, misfit: Misfit) -> Result<(), Misfit> {
    if holds {
        Ok(())
    } else {
        Err(misfit)
    }
}

impl Window {
    /// A bound of the rows and columns that `output` reaches over, padding included.
    fn reach(&self, output: [usize; 2]) -> Result<[usize; 2], Misfit> {
        let along = |axis: usize| {
            let reach = product(&[self.kernel[axis], self.dilation[axis]])?;
            let moved = product(&[output[axis], self.stride[axis]])?;
            ensure(reach + moved <= LIMIT && self.pad[axis] <= LIMIT, Misfit::Shape)?;
            Ok(reach + moved)
        };
        Ok([along(0)?, along(1)?])
    }
}

impl Source<'_> {
    /// Values as stored.
    fn values(&self) -> Result<usize, Misfit> {
        ensure(self.upsample <= 1 && self.height <= LIMIT / 2 && self.width <= LIMIT / 2, Misfit::Shape)?;
        product(&[self.height, self.width, self.channels])
    }
}

impl Epilogue<'_> {
    fn check(&self, channels: usize, values: usize, out: &Output) -> Result<(), Misfit> {
        ensure(out.len() >= values, Misfit::Output)?;
        let plain = self.residual.is_none() && self.lut.is_none();
        let fits = matches!(out, Output::I8(_)) || plain;
        ensure(fits && self.is_whole(channels, values, out), Misfit::Epilogue)
    }
}

impl Kernel for Conv<'_> {
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit> {
        let [height, width, channels] = self.output;
        let (a, b) = self.sources;
        let reach = self.window.reach([height, width])?;
        let mut inputs = 0;
        for source in core::iter::once(a).chain(b) {
            ensure(source.data.len() >= source.values()?, Misfit::Input)?;
            inputs += source.channels;
        }
        let divide = self.groups > 0 && inputs.is_multiple_of(self.groups) && channels.is_multiple_of(self.groups);
        ensure(divide, Misfit::Shape)?;
        product(&[reach[0], reach[1], inputs])?;
        let [rows, columns] = self.window.kernel;
        // Scratch is at most eight bytes a tap, and 64.
        let taps = product(&[rows, columns, inputs, 8])? / 8;
        let weights = product(&[channels, row_stride(taps / self.groups)])?;
        ensure(self.weights.len() >= weights, Misfit::Weights)?;
        ensure(scratch >= conv_scratch(taps), Misfit::Scratch)?;
        self.epilogue.check(channels, product(&[height, width, channels])?, out)
    }

    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]) {
        B::conv(self, out, scratch)
    }
}

impl Kernel for Depthwise<'_> {
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit> {
        let [height, width] = self.output;
        self.window.reach(self.output)?;
        let (inputs, channels) = (self.source.values()?, self.source.channels);
        let values = product(&[height, width, channels])?;
        if self.source.data.is_empty() {
            let same = [height, width] == [self.source.height, self.source.width];
            ensure(same && depthwise_in_place(&self.window, self.source.upsample), Misfit::Output)?;
            // The output holds the input, so not a residual.
            ensure(self.epilogue.residual.is_none_or(|residual| residual.data.is_some()), Misfit::Epilogue)?;
        } else {
            ensure(self.source.data.len() >= inputs, Misfit::Input)?;
        }
        let [rows, columns] = self.window.kernel;
        ensure(self.weights.len() >= product(&[rows, columns, channels])?, Misfit::Weights)?;
        // Eight bytes a value of the ring, and two blocks a tap.
        let [ring_rows, ring_columns] = self.window.span(width);
        product(&[ring_rows, ring_columns, 16])?;
        product(&[rows, columns, 64])?;
        ensure(scratch >= depthwise_scratch(&self.window, width), Misfit::Scratch)?;
        ensure(matches!(out, Output::I8(_)), Misfit::Output)?;
        self.epilogue.check(channels, values, out)
    }

    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, scratch: &mut [i8]) {
        if let Output::I8(out) = out {
            B::depthwise(self, out, scratch)
        }
    }
}

impl Kernel for Linear<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        // Without inputs there are no outputs either.
        let outputs = self.weights.len().checked_div(row_stride(self.input.len())).unwrap_or(0);
        let weights = outputs * row_stride(self.input.len());
        ensure(self.weights.len() <= LIMIT && self.weights.len() == weights, Misfit::Weights)?;
        self.epilogue.check(outputs, outputs, out)
    }

    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        B::linear(self, out)
    }
}

impl Kernel for Add<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        ensure(matches!(out, Output::I8(_)), Misfit::Output)?;
        let long = |operand: &[i8]| operand.len() >= out.len();
        ensure(self.a.is_none_or(long) && long(self.b), Misfit::Input)
    }

    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            B::add(self, out)
        }
    }
}

impl Kernel for Lut<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        ensure(matches!(out, Output::I8(_)), Misfit::Output)?;
        ensure(self.input.is_none_or(|input| input.len() >= out.len()), Misfit::Input)
    }

    #[inline(always)]
    fn run<B: Backend>(&self, out: Output, _: &mut [i8]) {
        if let Output::I8(out) = out {
            B::lut(self, out)
        }
    }
}
