//! What a chain follows place by place: values that the caller gives, such as a mel spectrogram.

use super::buffers::Buffers;
use super::checker::{all_i8, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use crate::format::{record, Tensor};
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// The local condition of a chain: values from -1 to 1, in units of 1/127. The first op, and the one that says how many
    /// ops are computed once a chain, when it starts.
    #[derive(Eq)]
    pub struct LocalCondition {
        /// Where the values lie.
        pub output: Tensor,
        /// Ops that are computed once a chain: this one and those behind it that depend on it alone. At least 1.
        pub prelude: u16,
    }
}

impl Operation for LocalCondition {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [None; 3]
    }

    /// Its place in the list is checked with the list.
    fn check(&self, _: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.output])?;
        match self.output.zero_point {
            0 => Ok(()),
            _ => Err(OpFault::Requantization),
        }
    }

    /// Nothing: the values are there before any op runs.
    fn run(&self, _: &Evaluation, _: Buffers) -> Option<()> {
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "local condition".into()
    }
}
