//! From accumulators to outputs.

use super::checker::{all_i8, final_shift, same_shape, Checker, PART_LIMIT};
use super::fault::OpFault;
use super::step_bias::StepBias;
use crate::format::{record, Element, Table, Tensor};

/// Largest shift of a residual.
const MAX_RESIDUAL_SHIFT: u8 = 15;

record! {
    /// A tensor added before the rounding.
    #[derive(Eq)]
    pub struct Residual {
        /// The tensor; it may be the output itself (in place).
        pub tensor: Tensor,
        /// Adds `⌊value·multiplier / 2^shift⌋`.
        pub multiplier: i16,
        /// See `multiplier`.
        pub shift: u8,
    }
}

record! {
    /// From accumulators to outputs; see [`Epilogue`](crate::kernels::Epilogue).
    #[derive(Eq)]
    pub struct Requantization {
        /// i32 an output channel; the input zero point is folded in.
        pub bias: u32,
        /// i16 an output channel.
        pub multipliers: u32,
        /// Rounding and zero points.
        pub offset: i32,
        /// The last shift.
        pub shift: u8,
        /// Bias that depends on the step and the class.
        pub step_bias: Option<StepBias>,
        /// A tensor to add.
        pub residual: Option<Residual>,
        /// 256 values of i8, indexed by `q + 128`.
        pub lut: Option<u32>,
    }
}

impl Requantization {
    /// Bytes of scratch for the biases of `channels` outputs of one step.
    pub const fn scratch_len(&self, channels: usize) -> usize {
        if self.step_bias.is_some() {
            4 * channels
        } else {
            0
        }
    }

    /// The tensor to add.
    pub(super) fn residual(&self) -> Option<&Tensor> {
        self.residual.as_ref().map(|r| &r.tensor)
    }

    /// Tables of `rows` output channels, number ranges, and what may be fused with the output `out`.
    #[inline(never)]
    pub(super) fn check(&self, checker: &mut Checker, out: &Tensor, rows: u32) -> Result<(), OpFault> {
        let biases = checker.examined(Table::Bias, self.bias, rows as u64 * 4, 4)?;
        for bias in biases.as_chunks::<4>().0 {
            if i32::from_le_bytes(*bias).unsigned_abs() as u64 > PART_LIMIT {
                return Err(OpFault::Accumulator);
            }
        }
        checker.table(Table::Multipliers, self.multipliers, rows as u64 * 2, 2)?;
        if let Some(step_bias) = &self.step_bias {
            step_bias.check(checker, rows)?;
        }
        final_shift(self.shift, self.offset)?;
        if out.element == Element::I16 && (self.residual.is_some() || self.lut.is_some()) {
            return Err(OpFault::Element);
        }
        if let Some(residual) = &self.residual {
            all_i8(&[&residual.tensor])?;
            same_shape(&residual.tensor, out)?;
            if residual.shift > MAX_RESIDUAL_SHIFT {
                return Err(OpFault::Requantization);
            }
        }
        checker.lut(self.lut)
    }

    /// What is fused with an op, for people.
    #[cfg(feature = "host")]
    pub(super) fn label(&self) -> std::string::String {
        let parts = [
            (self.step_bias.is_some(), " + step bias"),
            (self.residual.is_some(), " + residual"),
            (self.lut.is_some(), " + activation"),
        ];
        parts.into_iter().filter(|(is, _)| *is).map(|(_, part)| part).collect()
    }
}
