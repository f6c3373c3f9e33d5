//! A value that depends on nothing: positions, for networks that have to know where they are.

use super::buffers::{as_i8_mut, Buffers};
use super::checker::{all_i8, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use crate::format::{record, Table, Tensor};
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// A value that depends on nothing, copied from the file.
    #[derive(Eq)]
    pub struct Constant {
        /// Result.
        pub output: Tensor,
        /// Its values, i8, HWC.
        pub table: u32,
    }
}

impl Operation for Constant {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [None; 3]
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.output])?;
        checker.table(Table::Weights, self.table, self.output.values() as u64, 1)?;
        Ok(())
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let values = evaluation.weights(self.table)?;
        as_i8_mut(buffers.out).iter_mut().zip(values).for_each(|(slot, value)| *slot = *value);
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "constant".into()
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        self.output.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::Cores;
    use crate::format::Element;
    use crate::ops::list::Op;
    use crate::ops::step_bias::StepBiases;
    use crate::ops::testing::{arena, tensor};

    #[test]
    fn a_constant_is_copied_from_the_file_and_nothing_else_changes() {
        let output = tensor(4, [2, 3, 2], Element::I8);
        let blob: Vec<u8> = (0..20).map(|i| i * 13).collect();
        let before = arena(20);
        let mut after = before.clone();
        let biases = StepBiases::of_time(&[]);
        Op::Constant(Constant { output, table: 5 })
            .run(
                &Evaluation {
                    blob: &blob,
                    copied: crate::weight_memory::Copied::NOTHING,
                    biases: &biases,
                    cores: Cores::ONE,
                },
                &mut after,
            )
            .unwrap();
        assert_eq!([&before[..4], &blob[5..17], &before[16..]].concat(), after);
    }
}
