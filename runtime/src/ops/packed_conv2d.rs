//! Convolution with four-bit weights.

use super::buffers::{as_i8, as_i8_mut, Buffers};
use super::checker::Checker;
use super::conv2d::Conv2d;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::{as_its_layer, Operation};
use super::output::output;
use super::packed::{copy_strided, from_channel, unpack, Packed};
use super::weights::Bits;
use crate::format::Tensor;
use crate::kernels::{self, row_stride, Active, Kernel};
#[cfg(feature = "host")]
use std::string::String;

impl Packed<Conv2d> {
    /// Output channels unpacked at a time.
    pub fn channels(&self) -> usize {
        (self.block as usize).clamp(1, (self.layer.output.shape[2] as usize).max(1))
    }

    /// Bytes of a row of weights, unpacked.
    pub const fn row_len(&self) -> usize {
        row_stride(self.layer.window.taps() * self.layer.input_channels())
    }

    /// Bytes of the outputs of one block, which lie apart until they are done; 0 where one block is all.
    pub fn outputs_len(&self) -> usize {
        let [height, width, channels] = self.layer.output.shape.map(usize::from);
        if self.channels() < channels {
            (height * width * self.channels() * self.layer.output.element.size()).next_multiple_of(4)
        } else {
            0
        }
    }

    /// Bytes of scratch: those of the layer with biases first, then a block's rows, then its outputs.
    pub fn scratch_len(&self) -> usize {
        self.layer.scratch_len() + self.channels() * self.row_len() + self.outputs_len()
    }
}

impl Operation for Packed<Conv2d> {
    as_its_layer!();

    #[cfg(feature = "two-cores")]
    fn second_scratch_len(&self) -> usize {
        self.layer.second_scratch_len()
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        if self.block == 0 || self.layer.groups != 1 {
            return Err(OpFault::Shape);
        }
        self.layer.check_with(checker, Bits::Four)
    }

    /// Block by block of output channels, whose outputs lie apart until they are done, with the residual in their place
    /// before.
    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let op = &self.layer;
        let Buffers { out, scratch, operands: [a, b, residual] } = buffers;
        let a = a?;
        let [height, width, channels] = op.output.shape.map(usize::from);
        let (block, row_len, size) = (self.channels(), self.row_len(), op.output.element.size());
        let (bias, scratch) = evaluation.bias(&op.requantization, channels, scratch)?;
        let (rows, scratch) = scratch.split_at_mut_checked(block * row_len)?;
        let (part, scratch) = scratch.split_at_mut_checked(self.outputs_len())?;
        let mut first = 0;
        while first < channels {
            let count = block.min(channels - first);
            let start = op.weights as usize + first * row_len / 2;
            let weights = rows.get_mut(..count * row_len)?;
            unpack(evaluation.blob.get(start..)?.get(..weights.len() / 2)?, weights);
            let requantization = from_channel(&op.requantization, first);
            let whole = count == channels;
            let epilogue = evaluation.epilogue(
                &requantization,
                bias.get(first..first + count)?,
                count,
                if whole { residual } else { None },
            )?;
            let conv = kernels::Conv {
                sources: (op.a.source(a), op.b.as_ref().zip(b).map(|(input, data)| input.source(data))),
                window: op.window.window(),
                output: [height, width, count],
                groups: 1,
                weights: as_i8(weights),
                epilogue,
                winograd: None,
            };
            if whole {
                conv.run::<Active>(evaluation.cores, output(&op.output, out)?, as_i8_mut(scratch));
            } else {
                let [all, some] = [channels, count].map(|c| c * size);
                let (from, part) = (first * size, part.get_mut(..height * width * some)?);
                if op.requantization.residual.is_some() {
                    copy_strided((residual.unwrap_or(out), from, all), (part, 0, some), some);
                }
                conv.run::<Active>(evaluation.cores, output(&op.output, part)?, as_i8_mut(scratch));
                copy_strided((part, 0, some), (out, from, all), some);
            }
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
        self.layer.label_with("4-bit conv")
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        usize::from(self.layer.output.shape[2]) * (self.row_len() / 2 + 6)
    }
}
