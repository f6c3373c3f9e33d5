//! Fully connected layer.

use super::buffers::{as_i8, Buffers};
use super::checker::{all_i8, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::output::output;
use super::requantization::Requantization;
use super::weights::{self, Bits};
use crate::format::{record, Tensor};
use crate::kernels::{self, Active, Kernel};
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{format, string::String, vec::Vec};

record! {
    /// Fully connected layer over all values of its input.
    #[derive(Eq)]
    pub struct Linear {
        /// Input, read as one vector.
        pub input: Tensor,
        /// Result, written as one vector.
        pub output: Tensor,
        /// i8, `[outputs][row_stride]`.
        pub weights: u32,
        /// Epilogue.
        pub requantization: Requantization,
        /// Start of the scratch in the arena.
        pub scratch: u32,
    }
}

impl Linear {
    /// Bytes of scratch.
    pub const fn scratch_len(&self) -> usize {
        self.requantization.scratch_len(self.output.values())
    }

    /// The rule, for weights of this many bits.
    #[inline(never)]
    pub(super) fn check_with(&self, checker: &mut Checker, bits: Bits) -> Result<(), OpFault> {
        all_i8(&[&self.input])?;
        let outputs = self.output.values();
        weights::check(checker, self.weights, outputs, self.input.values(), bits)?;
        self.requantization.check(checker, &self.output, outputs as u32)
    }
}

impl Operation for Linear {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input), None, self.requantization.residual()]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 2
    }

    fn scratch(&self) -> (u32, usize) {
        (self.scratch, self.scratch_len())
    }

    /// All outputs look at all inputs.
    #[cfg(feature = "long")]
    fn reach(&self, _: [Option<Reach>; 3]) -> Option<Reach> {
        None
    }

    fn macs(&self) -> u64 {
        self.output.values() as u64 * self.input.values() as u64
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        self.check_with(checker, Bits::Eight)
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, scratch, operands: [input, _, residual] } = buffers;
        let (input, outputs) = (as_i8(input?), self.output.values());
        let (bias, _) = evaluation.bias(&self.requantization, outputs, scratch)?;
        let linear = kernels::Linear {
            input,
            weights: evaluation.weights(self.weights)?.get(..kernels::row_stride(input.len()) * outputs)?,
            epilogue: evaluation.epilogue(&self.requantization, bias, outputs, residual)?,
        };
        linear.run::<Active>(evaluation.cores, output(&self.output, out)?, &mut []);
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        let residual = self.requantization.residual.as_mut().map(|r| &mut r.tensor);
        [&mut self.input, &mut self.output].into_iter().chain(residual).collect()
    }

    #[cfg(feature = "host")]
    fn scratch_mut(&mut self) -> Option<&mut u32> {
        Some(&mut self.scratch)
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        format!("linear{}", self.requantization.label())
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        self.output.values() * (Bits::Eight.row_len(self.input.values()) + 6)
    }
}
