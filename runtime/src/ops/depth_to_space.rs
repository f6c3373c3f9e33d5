//! Channels to blocks of pixels.

use super::buffers::Buffers;
use super::checker::Checker;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::pixel_blocks::{self, Direction};
use crate::format::{record, Tensor};
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Channels to blocks of pixels: the inverse of [`SpaceToDepth`](super::SpaceToDepth).
    ///
    /// Channel k of pixel (dy, dx) of a block of m×n is channel (dy·n + dx)·C + k of the input. Blocks may reach beyond
    /// the lower and right edge of the result; what lies there is left out.
    #[derive(Eq)]
    pub struct DepthToSpace {
        /// Input.
        pub input: Tensor,
        /// Result.
        pub output: Tensor,
        /// Rows and columns of a block of pixels.
        pub block: [u8; 2],
    }
}

impl Operation for DepthToSpace {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input), None, None]
    }

    #[cfg(feature = "long")]
    fn reach(&self, [input, ..]: [Option<Reach>; 3]) -> Option<Reach> {
        input?.enlarged(self.block[1].into())
    }

    fn check(&self, _: &mut Checker) -> Result<(), OpFault> {
        pixel_blocks::check(self.block, &self.input, &self.output)
    }

    fn run(&self, _: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [input, ..], .. } = buffers;
        pixel_blocks::run(self.block, &self.input, &self.output, Direction::ToFine, input?, out)
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.input, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "depth to space".into()
    }
}
