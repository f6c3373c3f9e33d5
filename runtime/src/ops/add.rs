//! Elementwise sum.

use super::buffers::{as_i8, Buffers};
use super::checker::{all_i8, final_shift, same_shape, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::output::activations;
use crate::format::{record, Tensor};
use crate::kernels::{self, Active, Kernel};
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Elementwise sum.
    #[derive(Eq)]
    pub struct Add {
        /// First operand; it may be the output itself (in place).
        pub a: Tensor,
        /// Second operand.
        pub b: Tensor,
        /// Result.
        pub output: Tensor,
        /// Multipliers of a and b.
        pub multipliers: [i16; 2],
        /// Rounding and zero points.
        pub offset: i32,
        /// The last shift.
        pub shift: u8,
        /// Activation.
        pub lut: Option<u32>,
    }
}

impl Operation for Add {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.a), Some(&self.b), None]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 0
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.a, &self.b, &self.output])?;
        same_shape(&self.a, &self.output)?;
        same_shape(&self.b, &self.output)?;
        final_shift(self.shift, self.offset)?;
        checker.lut(self.lut)
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [a, b, _], .. } = buffers;
        let add = kernels::Add {
            a: a.map(as_i8),
            b: as_i8(b?),
            multipliers: self.multipliers,
            offset: self.offset,
            shift: self.shift,
            lut: self.lut.and_then(|lut| evaluation.lut(lut)),
        };
        add.run::<Active>(evaluation.cores, activations(out), &mut []);
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.a, &mut self.b, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        if self.lut.is_some() { "add + activation" } else { "add" }.into()
    }
}
