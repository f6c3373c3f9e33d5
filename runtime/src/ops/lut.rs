//! Activation by table.

use super::buffers::{as_i8, Buffers};
use super::checker::{all_i8, same_shape, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::output::activations;
use crate::format::{record, Tensor};
use crate::kernels::{self, Active, Kernel};
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Activation by table.
    #[derive(Eq)]
    pub struct Lut {
        /// Input; it may be the output itself.
        pub input: Tensor,
        /// Result.
        pub output: Tensor,
        /// 256 values of i8, indexed by `q + 128`.
        pub table: u32,
    }
}

impl Operation for Lut {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input), None, None]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 0
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.input, &self.output])?;
        same_shape(&self.input, &self.output)?;
        checker.lut(Some(self.table))
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [input, ..], .. } = buffers;
        let lut = kernels::Lut { input: input.map(as_i8), table: evaluation.lut(self.table)? };
        lut.run::<Active>(evaluation.cores, activations(out), &mut []);
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.input, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "activation".into()
    }
}
