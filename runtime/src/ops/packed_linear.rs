//! Fully connected layer with four-bit weights.

use super::buffers::{as_i8, Buffers};
use super::checker::Checker;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::linear::Linear;
use super::operation::{as_its_layer, Operation};
use super::output::output;
use super::packed::{from_channel, unpack, Packed};
use super::weights::Bits;
use crate::format::Tensor;
use crate::kernels::{self, row_stride, Active, Kernel};
#[cfg(feature = "host")]
use std::{format, string::String};

impl Packed<Linear> {
    /// Outputs unpacked at a time.
    pub fn outputs(&self) -> usize {
        (self.block as usize).clamp(1, self.layer.output.values().max(1))
    }

    /// Bytes of a row of weights, unpacked.
    pub const fn row_len(&self) -> usize {
        row_stride(self.layer.input.values())
    }

    /// Bytes of scratch: those of the layer, then a block's rows.
    pub fn scratch_len(&self) -> usize {
        self.layer.scratch_len() + self.outputs() * self.row_len()
    }
}

impl Operation for Packed<Linear> {
    as_its_layer!();

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        if self.block == 0 {
            return Err(OpFault::Shape);
        }
        self.layer.check_with(checker, Bits::Four)
    }

    /// Block by block of outputs.
    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let op = &self.layer;
        let Buffers { out, scratch, operands: [input, _, residual] } = buffers;
        let (input, outputs) = (as_i8(input?), op.output.values());
        let (block, row_len, size) = (self.outputs(), self.row_len(), op.output.element.size());
        let (bias, scratch) = evaluation.bias(&op.requantization, outputs, scratch)?;
        let rows = scratch.get_mut(..block * row_len)?;
        let mut first = 0;
        while first < outputs {
            let count = block.min(outputs - first);
            let start = op.weights as usize + first * row_len / 2;
            let weights = rows.get_mut(..count * row_len)?;
            unpack(evaluation.blob.get(start..)?.get(..weights.len() / 2)?, weights);
            let residual = match residual {
                Some(data) => Some(data.get(first..first + count)?),
                None => None,
            };
            let bias = bias.get(first..first + count)?;
            let linear = kernels::Linear {
                input,
                weights: as_i8(weights),
                epilogue: evaluation.epilogue(&from_channel(&op.requantization, first), bias, count, residual)?,
            };
            let out = output(&op.output, out.get_mut(first * size..(first + count) * size)?)?;
            linear.run::<Active>(evaluation.cores, out, &mut []);
            first += count;
        }
        Some(())
    }

    #[cfg(feature = "host")]
    fn block_mut(&mut self) -> Option<&mut u16> {
        Some(&mut self.block)
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        format!("4-bit {}", self.layer.label())
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        self.layer.output.values() * (self.row_len() / 2 + 6)
    }
}
