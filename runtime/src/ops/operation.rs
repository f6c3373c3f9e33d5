//! What every op answers.

use super::buffers::Buffers;
use super::checker::Checker;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use crate::format::Tensor;
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{string::String, vec::Vec};

/// An op: what it reads and writes, what parsing has to check of it, and what it computes.
pub(crate) trait Operation {
    /// The result.
    fn output(&self) -> &Tensor;

    /// What it reads, each at a place of its own; a residual is the last.
    fn operands(&self) -> [Option<&Tensor>; 3];

    /// Whether the operand at this place may be the output's own buffer.
    fn may_work_in_place(&self, _operand: usize) -> bool {
        false
    }

    /// Start and length of the scratch in the arena; length 0 for none. Only asked once [`check`](Self::check) has passed.
    fn scratch(&self) -> (u32, usize) {
        (0, 0)
    }

    /// Bytes of scratch that a second core needs to compute half of the outputs.
    #[cfg(feature = "two-cores")]
    fn second_scratch_len(&self) -> usize {
        0
    }

    /// The weights that it reads more than once: their offset in the blob and their bytes.
    #[cfg(feature = "weight-memory")]
    fn weights_read_often(&self) -> Option<(u32, usize)> {
        None
    }

    /// How far its output looks, from how far its operands do; `None` where that is not one distance for all columns. An op
    /// whose columns look at the same columns of its operands alone leaves this as it is.
    #[cfg(feature = "long")]
    fn reach(&self, operands: [Option<Reach>; 3]) -> Option<Reach> {
        Reach::joined(operands)
    }

    /// Multiply-accumulates of one evaluation, taps in the padding counted.
    fn macs(&self) -> u64 {
        0
    }

    /// The rule for parsing: shapes, element types, tables and number ranges. That tensors are not empty and lie in the
    /// arena is known by then; how buffers may overlap is checked after it.
    fn check(&self, checker: &mut Checker) -> Result<(), OpFault>;

    /// Computes the output. `None` where a slice is not there, which parsing has made impossible.
    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()>;

    /// All tensors, to be placed.
    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor>;

    /// Where the start of the scratch is written, if there is one.
    #[cfg(feature = "host")]
    fn scratch_mut(&mut self) -> Option<&mut u32> {
        None
    }

    /// The number of output channels that are unpacked at a time, if there is one.
    #[cfg(feature = "host")]
    fn block_mut(&mut self) -> Option<&mut u16> {
        None
    }

    /// What it is, for people: the kind, its size, and what is fused with it.
    #[cfg(feature = "host")]
    fn label(&self) -> String;

    /// Bytes of its weights, biases and multipliers.
    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        0
    }
}

/// What an op answers as the layer that it computes in another way: of [`Operation`], all that has to do neither with
/// scratch lengths nor with how it computes. The op has a field `layer`.
#[cfg(any(feature = "four-bit", feature = "winograd"))]
macro_rules! as_its_layer {
    () => {
        fn output(&self) -> &Tensor {
            &self.layer.output
        }

        fn operands(&self) -> [Option<&Tensor>; 3] {
            self.layer.operands()
        }

        fn may_work_in_place(&self, operand: usize) -> bool {
            self.layer.may_work_in_place(operand)
        }

        fn scratch(&self) -> (u32, usize) {
            (self.layer.scratch, self.scratch_len())
        }

        #[cfg(feature = "long")]
        fn reach(&self, operands: [Option<crate::long::Reach>; 3]) -> Option<crate::long::Reach> {
            self.layer.reach(operands)
        }

        fn macs(&self) -> u64 {
            self.layer.macs()
        }

        #[cfg(feature = "host")]
        fn tensors_mut(&mut self) -> std::vec::Vec<&mut Tensor> {
            self.layer.tensors_mut()
        }

        #[cfg(feature = "host")]
        fn scratch_mut(&mut self) -> Option<&mut u32> {
            self.layer.scratch_mut()
        }
    };
}
#[cfg(any(feature = "four-bit", feature = "winograd"))]
pub(super) use as_its_layer;
