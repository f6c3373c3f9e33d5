//! Channel biases that depend on the step and the class.

use super::checker::Checker;
use super::fault::OpFault;
use crate::format::record;

/// Largest left shift of a step bias; with guidance up to 16 a value has 21 bits.
const MAX_SHIFT: u8 = 8;

record! {
    /// Channel biases that depend on the step: columns of the time and class tables, added to the
    /// accumulator as `value << shift`.
    #[derive(Eq)]
    pub struct StepBias {
        /// First column; one column an output channel.
        pub column: u32,
        /// Left shift of the table's values.
        pub shift: u8,
    }
}

impl StepBias {
    /// The columns of `channels` channels are there, and the shift is in range.
    #[inline(never)]
    pub(super) fn check(&self, checker: &Checker, channels: u32) -> Result<(), OpFault> {
        if self.shift > MAX_SHIFT {
            return Err(OpFault::Requantization);
        }
        if self.column as u64 + channels as u64 > checker.columns {
            return Err(OpFault::Column);
        }
        Ok(())
    }
}

/// The rows that make up a step's channel biases: a time row plus, for conditioned models, a class row under guidance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepBiases<'a> {
    pub(crate) time: &'a [i16],
    pub(crate) none: &'a [i16],
    pub(crate) class: &'a [i16],
    pub(crate) guidance_scale: i32,
}

impl StepBiases<'_> {
    /// `time + none + ⌊guidance·(class − none)/256 + 1/2⌋` of one column.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> i32 {
        let at = |row: &[i16]| row.get(column).map_or(0, |&v| v as i32);
        let none = at(self.none);
        at(self.time) + none + ((self.guidance_scale * (at(self.class) - none) + 128) >> 8)
    }

    /// The bias of channel `channel` in units of the accumulator.
    pub(super) fn shifted(&self, bias: &StepBias, channel: usize) -> i32 {
        self.value(bias.column as usize + channel) << (bias.shift as u32 & 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_time_plus_class_under_guidance() {
        let (time, none, class) = ([100i16, -7], [10i16, 3], [14i16, -30000]);
        let value = |guidance_scale, column| {
            StepBiases { time: &time, none: &none, class: &class, guidance_scale }.value(column)
        };
        assert_eq!([0, 256, 512, 384].map(|g| value(g, 0)), [110, 114, 118, 116]);
        assert_eq!(value(4096, 1), -7 + 3 + 16 * -30003);
        // Rounded half up: 4·97/256 = 1.516 and 4·96/256 = 1.5.
        assert_eq!([95, 96, 97].map(|g| value(g, 0)), [111, 112, 112]);
        assert_eq!(value(256, 2), 0, "beyond the columns");
    }
}
