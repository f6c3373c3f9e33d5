//! Kernels for whoever has no parsed model: arguments are checked before anything runs.

use super::active::Active;
use super::arguments::Misfit;
use super::backend::{Kernel, Portable};
use super::epilogue::Output;
use crate::cores::Cores;
#[cfg(feature = "two-cores")]
use crate::cores::SecondCore;
use core::cell::Cell;

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
    /// Checks a kernel's arguments against its output and its scratch. Only a convolution or a linear layer writes i16;
    /// only convolutions need scratch.
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
        self.kernel.run::<Active>(Cores::ONE, E::output(self.out), self.scratch);
    }

    /// Runs the kernel of this build's backend on two cores.
    #[cfg(feature = "two-cores")]
    #[inline(always)]
    pub fn run_on_two_cores(&mut self, second: &SecondCore) {
        self.kernel.run::<Active>(Cores::with(second), E::output(self.out), self.scratch);
    }

    /// Runs the portable kernel, the reference.
    #[inline(always)]
    pub fn run_portable(&mut self) {
        self.kernel.run::<Portable>(Cores::ONE, E::output(self.out), self.scratch);
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
        Output::I8(Cell::from_mut(values).as_slice_of_cells())
    }
}

impl Value for i16 {
    #[inline(always)]
    fn output(values: &mut [i16]) -> Output<'_> {
        Output::I16(Cell::from_mut(values).as_slice_of_cells())
    }
}
