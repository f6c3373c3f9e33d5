//! Elementwise product of two values behind a table each: DiffWave's gate, tanh(a)·sigmoid(b) (Kong et al. 2021, section 5).

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
    /// Elementwise product of two values behind a table each: tanh(a)·sigmoid(b) where the tables say so.
    #[derive(Eq)]
    pub struct Gate {
        /// First operand; it may be the output itself (in place).
        pub a: Tensor,
        /// Second operand.
        pub b: Tensor,
        /// Result.
        pub output: Tensor,
        /// Tables of a and b, each 256 values of i8, indexed by `q + 128`.
        pub tables: [u32; 2],
        /// Multiplier of the product.
        pub multiplier: i16,
        /// Rounding and zero point.
        pub offset: i32,
        /// The last shift.
        pub shift: u8,
    }
}

impl Operation for Gate {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.a), Some(&self.b), None]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 0
    }

    /// No table is examined: with any values of i8 and any multiplier, |a·b·m| ≤ 2^7·2^7·2^15 = 2^29, and the offset is at
    /// most 2^29 in size, so that the sum, at most 2^30, fits 32 bits.
    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.a, &self.b, &self.output])?;
        same_shape(&self.a, &self.output)?;
        same_shape(&self.b, &self.output)?;
        final_shift(self.shift, self.offset)?;
        self.tables.into_iter().try_for_each(|table| checker.lut(Some(table)))
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [a, b, _], .. } = buffers;
        let gate = kernels::Gate {
            a: a.map(as_i8),
            b: as_i8(b?),
            tables: [evaluation.lut(self.tables[0])?, evaluation.lut(self.tables[1])?],
            multiplier: self.multiplier,
            offset: self.offset,
            shift: self.shift,
        };
        gate.run::<Active>(evaluation.cores, activations(out), &mut []);
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.a, &mut self.b, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "gate".into()
    }
}
