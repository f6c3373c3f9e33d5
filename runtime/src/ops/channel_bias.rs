//! Channel biases of a step on their own.

use super::buffers::Buffers;
use super::checker::{all_i8, final_shift, same_shape, Checker};
use super::evaluation::Evaluation;
use super::fault::OpFault;
use super::operation::Operation;
use super::step_bias::StepBias;
use crate::cores::Part;
use crate::format::{record, Tensor};
use crate::quant::clamp_i8;
use core::cell::Cell;
#[cfg(feature = "host")]
use std::{string::String, vec, vec::Vec};

record! {
    /// Channel bias of a step on its own: `q = (value·multiplier + bias + offset) >> shift`.
    #[derive(Eq)]
    pub struct ChannelBias {
        /// Input; it may be the output itself.
        pub input: Tensor,
        /// Result.
        pub output: Tensor,
        /// Where the biases come from.
        pub step_bias: StepBias,
        /// Factor of the input.
        pub multiplier: i16,
        /// Rounding and zero points.
        pub offset: i32,
        /// The last shift.
        pub shift: u8,
    }
}

impl Operation for ChannelBias {
    fn output(&self) -> &Tensor {
        &self.output
    }

    fn operands(&self) -> [Option<&Tensor>; 3] {
        [Some(&self.input), None, None]
    }

    fn may_work_in_place(&self, operand: usize) -> bool {
        operand == 0
    }

    fn check(&self, checker: &mut Checker) -> Result<(), OpFault> {
        all_i8(&[&self.input, &self.output])?;
        same_shape(&self.input, &self.output)?;
        final_shift(self.shift, self.offset)?;
        self.step_bias.check(checker, self.output.shape[2] as u32)
    }

    fn run(&self, evaluation: &Evaluation, buffers: Buffers) -> Option<()> {
        let Buffers { out, operands: [input, ..], .. } = buffers;
        let channels = self.output.shape[2] as usize;
        let shift = self.shift as u32 & 31;
        let out = Cell::from_mut(out).as_slice_of_cells();
        let work = |part: Part, _: &mut [i8]| {
            for c in part.of(channels, 1) {
                let bias = evaluation.biases.shifted(&self.step_bias, c).wrapping_add(self.offset);
                let mut at = c;
                while let Some(slot) = out.get(at) {
                    let value = match input {
                        Some(input) => input.get(at).copied().unwrap_or(0),
                        None => slot.get(),
                    };
                    let t = (value as i8 as i32 * self.multiplier as i32).wrapping_add(bias);
                    slot.set(clamp_i8(t >> shift) as u8);
                    at += channels;
                }
            }
        };
        // SAFETY: a channel's values are no other channel's, in place or not.
        unsafe { evaluation.cores.share(|| 0, &mut [], work) };
        Some(())
    }

    #[cfg(feature = "host")]
    fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        vec![&mut self.input, &mut self.output]
    }

    #[cfg(feature = "host")]
    fn label(&self) -> String {
        "channel bias".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cores::Cores;
    use crate::format::Element;
    use crate::ops::list::Op;
    use crate::ops::step_bias::StepBiases;
    use crate::quant::rounding_offset;
    use proptest::prelude::*;

    proptest! {
        /// q = clamp(⌊(value·m + (bias << s)) / 2^shift + 1/2⌋ + zero_point), in place and not.
        #[test]
        fn channel_bias_is_its_definition(
            h in 1u16..5, w in 1u16..5, c in 1u16..6, in_place: bool, multiplier: i16,
            shift in 1u8..=20, left in 0u8..=8, zero_point: i8, seed: u32,
        ) {
            let time: Vec<i16> = (0..c as u32 + 2).map(|i| (seed.wrapping_add(i * 77).wrapping_mul(2_654_435_761) >> 16) as i16).collect();
            let biases = StepBiases::of_time(&time);
            let input = Tensor { offset: 0, shape: [h, w, c], element: Element::I8, zero_point: 0 };
            let start = if in_place { 0 } else { input.len().next_multiple_of(4) as u32 };
            let output = Tensor { offset: start, ..input };
            let op = ChannelBias {
                input, output, step_bias: StepBias { column: 2, shift: left }, multiplier,
                offset: rounding_offset(shift, zero_point.into()), shift,
            };
            let before: Vec<u8> = (0..output.range().end as u32).map(|i| (i.wrapping_mul(seed | 1) >> 7) as u8).collect();
            let mut arena = before.clone();
            Op::ChannelBias(op).run(&Evaluation { blob: &[], copied: crate::weight_memory::Copied::NOTHING, biases: &biases, cores: Cores::ONE }, &mut arena).unwrap();
            for (i, &q) in arena[output.range()].iter().enumerate() {
                let value = before[i] as i8 as i64 * multiplier as i64;
                let bias = (time[2 + i % c as usize] as i64) << left;
                let exact = ((value + bias + (1i64 << (shift - 1))) >> shift) + zero_point as i64;
                prop_assert_eq!(q as i8 as i64, exact.clamp(-128, 127));
            }
        }
    }
}
