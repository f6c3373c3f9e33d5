//! Dense and grouped convolution.

use super::buffers::{as_i8_mut, Buffers};
use super::checker::{all_i8, Checker, MAX_TAPS};
use super::conv_input::ConvInput;
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::output::output;
use super::requantization::Requantization;
use super::weights::{self, Bits};
use super::window::WindowSpec;
use crate::format::{record, Tensor};
use crate::kernels::{conv_scratch, Active, Conv, Kernel, Winograd};
#[cfg(feature = "long")]
use crate::long::Reach;
#[cfg(feature = "host")]
use std::{format, string::String, vec::Vec};

record! {
    /// Dense or grouped convolution. With two inputs it reads their concatenation along the channels.
    #[derive(Eq)]
    pub struct Conv2d {
        /// First input.
        pub a: ConvInput,
        /// Second input, whose channels follow those of the first.
        pub b: Option<ConvInput>,
        /// Result.
        pub output: Tensor,
        /// Taps, strides, padding.
        pub window: WindowSpec,
        /// Groups of channels.
        pub groups: u16,
        /// i8, `[out_channels][row_stride]`.
        pub weights: u32,
        /// Epilogue.
        pub requantization: Requantization,
        /// Start of the scratch in the arena.
        pub scratch: u32,
    }
}

impl Conv2d {
    /// Channels of both inputs.
    pub const fn input_channels(&self) -> usize {
        let b = match &self.b {
            Some(b) => b.tensor.shape[2] as usize,
            None => 0,
        };
        self.a.tensor.shape[2] as usize + b
    }

    /// Products that an output is the sum of.
    pub(super) fn taps(&self) -> usize {
        self.window.taps() * self.input_channels() / (self.groups as usize).max(1)
    }

    /// Bytes of scratch: biases of the step, then the kernel's own.
    pub const fn scratch_len(&self) -> usize {
        self.requantization.scratch_len(self.output.shape[2] as usize)
            + conv_scratch(self.window.taps() * self.input_channels())
    }

    /// The rule, for weights of this many bits.
    #[inline(never)]
    pub(super) fn check_with(&self, checker: &mut Checker, bits: Bits) -> Result<(), OpFault> {
        self.window.check(self.a.extent(), &self.output)?;
        all_i8(&[&self.a.tensor])?;
        if let Some(b) = &self.b {
            all_i8(&[&b.tensor])?;
            if b.extent() != self.a.extent() {
                return Err(OpFault::Shape);
            }
        }
        let channels = self.input_channels() as u32;
        if self.window.taps().checked_mul(channels as usize).is_none_or(|taps| taps > MAX_TAPS) {
            return Err(OpFault::Accumulator);
        }
        let (groups, outputs) = (self.groups as u32, self.output.shape[2] as u32);
        if groups == 0 || !channels.is_multiple_of(groups) || !outputs.is_multiple_of(groups) {
            return Err(OpFault::Shape);
        }
        weights::check(checker, self.weights, outputs as usize, self.taps(), bits)?;
        self.requantization.check(checker, &self.output, outputs)
    }

    /// Computes the output, with scratch for Winograd's algorithm if it is cut for that.
    #[cfg_attr(feature = "winograd", inline(never))]
    pub(super) fn run_with(&self, evaluation: &Evaluation, buffers: Buffers, winograd: Option<Winograd>) -> Option<()> {
        let Buffers { out, scratch, operands: [a, b, residual] } = buffers;
        let channels = self.output.shape[2] as usize;
        let (bias, scratch) = evaluation.bias(&self.requantization, channels, scratch)?;
        let conv = Conv {
            sources: (self.a.source(a?), self.b.as_ref().zip(b).map(|(input, data)| input.source(data))),
            window: self.window.window(),
            output: self.output.shape.map(usize::from),
            groups: self.groups as usize,
            weights: evaluation.weights(self.weights)?,
            epilogue: evaluation.epilogue(&self.requantization, bias, channels, residual)?,
            winograd,
        };
        conv.run::<Active>(evaluation.cores, output(&self.output, out)?, as_i8_mut(scratch));
        Some(())
    }

    /// The kernel's size and what is fused with it, for people.
    #[cfg(feature = "host")]
    pub(super) fn label_with(&self, kind: &str) -> String {
        let [h, w] = self.window.kernel;
        format!("{kind} {h}x{w}{}", self.requantization.label())
    }
}

impl Operation for Conv2d {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.a.tensor), self.b.as_ref().map(|b| &b.tensor), self.requantization.residual()]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 2
    }

    fn scratch(&self) -> (u32, usize) {
        (self.scratch, self.scratch_len())
    }

    #[cfg(feature = "two-cores")]
    fn second_scratch_len(&self) -> usize {
        conv_scratch(self.window.taps() * self.input_channels())
    }

    #[cfg(feature = "long")]
    fn reach(&self, [a, b, residual]: [Option<Reach>; 3]) -> Option<Reach> {
        let b = match (b, &self.b) {
            (Some(reach), Some(input)) => Some(self.window.reach(input.reach(reach)?)?),
            _ => None,
        };
        Reach::joined([Some(self.window.reach(self.a.reach(a?)?)?), b, residual])
    }

    fn macs(&self) -> u64 {
        self.output.values() as u64 * self.taps() as u64
    }

    #[cfg(feature = "weight-memory")]
    fn weights_read_often(&self) -> Option<(u32, usize)> {
        Some((self.weights, usize::from(self.output.shape[2]) * Bits::Eight.row_len(self.taps())))
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        self.check_with(checker, Bits::Eight)
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        self.run_with(evaluation, buffers, None)
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        let residual = self.requantization.residual.as_mut().map(|r| &mut r.tensor);
        let b = self.b.as_mut().map(|b| &mut b.tensor);
        [&mut self.a.tensor, &mut self.output].into_iter().chain(b).chain(residual).collect()
    }

    #[cfg(feature = "host")]
    fn scratch_mut(&mut self) -> Option<&mut u32> {
        Some(&mut self.scratch)
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        self.label_with("conv")
    }

    #[cfg(feature = "host")]
    fn weight_bytes(&self) -> usize {
        usize::from(self.output.shape[2]) * (Bits::Eight.row_len(self.taps()) + 6)
    }
}
