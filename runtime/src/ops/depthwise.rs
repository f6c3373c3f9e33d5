//! Depthwise convolution.

use super::buffers::{as_i8_mut, Buffers};
use super::checker::{all_i8, Checker, MAX_ARENA, MAX_TAPS};
use super::conv_input::ConvInput;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::output::activations;
use super::requantization::Requantization;
use super::weights::no_minimum;
use super::window::WindowSpec;
use crate::format::{record, Table, Tensor};
use crate::kernels::{self, depthwise_in_place, depthwise_scratch, Active, Kernel};
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{format, string::String, vec::Vec};

record! {
    /// Depthwise convolution: output channel c reads input channel c alone.
    #[derive(Eq)]
    pub struct Depthwise {
        /// Input.
        pub input: ConvInput,
        /// Result.
        pub output: Tensor,
        /// Taps, strides, padding.
        pub window: WindowSpec,
        /// i8, `[kernel_h][kernel_w][channels]`.
        pub weights: u32,
        /// Epilogue.
        pub requantization: Requantization,
        /// Start of the scratch in the arena.
        pub scratch: u32,
    }
}

impl Depthwise {
    /// Bytes of scratch: biases of the step, then the kernel's own.
    pub fn scratch_len(&self) -> usize {
        let [_, width, channels] = self.output.shape.map(usize::from);
        self.requantization.scratch_len(channels) + depthwise_scratch(&self.window.window(), width)
    }

    /// Whether the output may be written over the input.
    pub fn may_overwrite_input(&self) -> bool {
        let input = &self.input;
        input.tensor.shape == self.output.shape
            && depthwise_in_place(&self.window.window(), input.upsample as u8)
            && self.requantization.residual.is_none()
    }

    /// Bytes of the rows that are kept, in u64 because it is not bounded yet.
    fn ring_len(&self) -> u64 {
        let columns = self.output.shape[1] as u64 * self.window.stride[1] as u64;
        8 * self.window.span(0) as u64 * (columns + self.window.span(1) as u64)
    }
}

impl Operation for Depthwise {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input.tensor), None, self.requantization.residual()]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        match operand {
            0 => self.may_overwrite_input(),
            _ => true,
        }
    }

    fn scratch(&self) -> (u32, usize) {
        (self.scratch, self.scratch_len())
    }

    #[cfg(feature = "two-cores")]
    fn second_scratch_len(&self) -> usize {
        depthwise_scratch(&self.window.window(), self.output.shape[1] as usize)
    }

    #[cfg(feature = "long")]
    fn reach(&self, [input, _, residual]: [Option<Reach>; 3]) -> Option<Reach> {
        Reach::joined([Some(self.window.reach(self.input.reach(input?)?)?), None, residual])
    }

    fn macs(&self) -> u64 {
        self.output.values() as u64 * self.window.taps() as u64
    }

    #[cfg(feature = "weight-memory")]
    fn weights_read_often(&self) -> Option<(u32, usize)> {
        Some((self.weights, self.window.taps() * usize::from(self.output.shape[2])))
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        self.window.check(self.input.extent(), &self.output)?;
        let channels = self.output.shape[2];
        if channels != self.input.tensor.shape[2] {
            return Err(OpFault::Shape);
        }
        all_i8(&[&self.input.tensor, &self.output])?;
        let taps = self.window.taps();
        if taps > MAX_TAPS {
            return Err(OpFault::Accumulator);
        }
        if self.ring_len() > MAX_ARENA {
            return Err(OpFault::Ring);
        }
        no_minimum(checker.examined(Table::Weights, self.weights, (taps * channels as usize) as u64, 4)?)?;
        self.requantization.check(checker, &self.output, channels as u32)
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, scratch, operands: [input, _, residual] } = buffers;
        let [height, width, channels] = self.output.shape.map(usize::from);
        let (bias, scratch) = evaluation.bias(&self.requantization, channels, scratch)?;
        let conv = kernels::Depthwise {
            // The kernel knows by an empty slice that the output holds its input.
            source: self.input.source(input.unwrap_or(&[])),
            window: self.window.window(),
            output: [height, width],
            weights: evaluation.weights(self.weights)?,
            epilogue: evaluation.epilogue(&self.requantization, bias, channels, residual)?,
        };
        conv.run::<Active>(evaluation.cores, activations(out), as_i8_mut(scratch));
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        let residual = self.requantization.residual.as_mut().map(|r| &mut r.tensor);
        [&mut self.input.tensor, &mut self.output].into_iter().chain(residual).collect()
    }

    #[cfg(feature = "host")]
    fn scratch_mut(&mut self) -> Option<&mut u32> {
        Some(&mut self.scratch)
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        let [h, w] = self.window.kernel;
        format!("depthwise {h}x{w}{}", self.requantization.label())
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        usize::from(self.output.shape[2]) * (self.window.taps() + 6)
    }
}
