//! What kernels rely on, as a check of their arguments.

use super::epilogue::{Epilogue, Output};
use super::source::{Source, Window};

/// The arguments of a kernel.
pub trait Arguments {
    /// Whether the kernel may run with this output and so many bytes of scratch.
    ///
    /// # Errors
    /// What does not fit.
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit>;
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

/// Shapes have products below this, and so do addresses on every target.
pub(super) const LIMIT: usize = i32::MAX as usize;

/// The product of positive factors.
pub(super) fn product(factors: &[usize]) -> Result<usize, Misfit> {
    let product = factors.iter().try_fold(1usize, |product, &factor| product.checked_mul(factor));
    product.filter(|product| (1..=LIMIT).contains(product)).ok_or(Misfit::Shape)
}

/// `Ok` where `holds`, else the misfit.
pub(super) fn ensure(holds: bool, misfit: Misfit) -> Result<(), Misfit> {
    if holds {
        Ok(())
    } else {
        Err(misfit)
    }
}

impl Window {
    /// A bound of the rows and columns that `output` reaches over, padding included.
    pub(super) fn reach(&self, output: [usize; 2]) -> Result<[usize; 2], Misfit> {
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
    pub(super) fn values(&self) -> Result<usize, Misfit> {
        ensure(self.upsample <= 1 && self.height <= LIMIT / 2 && self.width <= LIMIT / 2, Misfit::Shape)?;
        product(&[self.height, self.width, self.channels])
    }
}

impl Epilogue<'_> {
    /// The slices suffice, and what is fused goes with the output.
    pub(super) fn check(&self, channels: usize, values: usize, out: &Output) -> Result<(), Misfit> {
        ensure(out.len() >= values, Misfit::Output)?;
        let plain = self.residual.is_none() && self.lut.is_none();
        let fits = matches!(out, Output::I8(_)) || plain;
        ensure(fits && self.is_whole(channels, values, out), Misfit::Epilogue)
    }
}

/// An output of i8, and operands that are as long, unless the output holds them.
pub(super) fn elementwise<const N: usize>(out: &Output, operands: [Option<&[i8]>; N]) -> Result<(), Misfit> {
    ensure(matches!(out, Output::I8(_)), Misfit::Output)?;
    ensure(operands.into_iter().flatten().all(|operand| operand.len() >= out.len()), Misfit::Input)
}
