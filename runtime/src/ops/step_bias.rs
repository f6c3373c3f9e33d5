//! Channel biases that depend on the step and the class.

use super::checker::Checker;
use super::fault::OpFault;
use crate::format::record;
use crate::parse::MAX_AXES;
use crate::quant::clamp_i16;

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

/// Where a step's channel biases come from: a time row plus, for conditioned models, one class row an axis under
/// guidance.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepBiases<'a> {
    /// The time row.
    pub(crate) time: &'a [i16],
    /// The class tables.
    pub(crate) classes: &'a [i16],
    /// Columns of the class tables.
    pub(crate) columns: usize,
    /// Rows of the class tables, one an axis.
    pub(crate) rows: Rows,
    pub(crate) guidance_scale: i32,
}

/// Which rows of the class tables a draw takes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rows {
    /// Number of axes.
    pub(crate) axes: usize,
    /// The row of no class of each axis.
    pub(crate) none: [u16; MAX_AXES],
    /// The row of each axis's class; where none is asked for, that of no class.
    pub(crate) class: [u16; MAX_AXES],
}

impl<'a> StepBiases<'a> {
    /// Those of a model without classes.
    #[cfg(test)]
    pub(crate) fn of_time(time: &'a [i16]) -> Self {
        Self { time, classes: &[], columns: 0, rows: Rows::default(), guidance_scale: 256 }
    }

    /// `time + none + ⌊guidance·(class − none)/256 + 1/2⌋` of one column, `none` and `class` being the sums of a row an
    /// axis, clamped to 16 bits.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> i32 {
        let (none, class) = (self.sum(&self.rows.none, column), self.sum(&self.rows.class, column));
        at(self.time, column) + none + ((self.guidance_scale * (class - none) + 128) >> 8)
    }

    fn sum(&self, rows: &[u16; MAX_AXES], column: usize) -> i32 {
        let row = |&row: &u16| at(self.classes, usize::from(row).wrapping_mul(self.columns).wrapping_add(column));
        clamp_i16(rows.iter().take(self.rows.axes).map(row).sum()).into()
    }

    /// The bias of channel `channel` in units of the accumulator.
    pub(super) fn shifted(&self, bias: &StepBias, channel: usize) -> i32 {
        self.value(bias.column as usize + channel) << (bias.shift as u32 & 31)
    }
}

fn at(values: &[i16], index: usize) -> i32 {
    values.get(index).map_or(0, |&value| value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_time_plus_class_under_guidance() {
        let (time, classes) = ([100i16, -7], [14i16, -30000, 10, 3]);
        let rows = Rows { axes: 1, none: [1; MAX_AXES], class: [0; MAX_AXES] };
        let value = |guidance_scale, column| {
            StepBiases { time: &time, classes: &classes, columns: 2, rows, guidance_scale }.value(column)
        };
        assert_eq!([0, 256, 512, 384].map(|g| value(g, 0)), [110, 114, 118, 116]);
        assert_eq!(value(4096, 1), -7 + 3 + 16 * -30003);
        // Rounded half up: 4·97/256 = 1.516 and 4·96/256 = 1.5.
        assert_eq!([95, 96, 97].map(|g| value(g, 0)), [111, 112, 112]);
        assert_eq!(StepBiases::of_time(&time).value(2), 0, "beyond the columns");
    }

    /// Rows of three axes are added, each sum is clamped to 16 bits, and what guidance makes of them has 21.
    #[test]
    fn axes_add_up() {
        let classes = [1i16, 10, 100, 1000, 20_000, 30_000];
        let with = |class: [u16; 3], guidance_scale| {
            let mut rows = Rows { axes: 3, ..Rows::default() };
            rows.none[..3].copy_from_slice(&[1, 3, 5]);
            rows.class[..3].copy_from_slice(&class);
            StepBiases { time: &[7], classes: &classes, columns: 1, rows, guidance_scale }.value(0)
        };
        assert_eq!(with([1, 3, 5], 256), 7 + 31_010);
        assert_eq!(with([0, 3, 5], 256), 7 + 31_001, "one axis changes, the others stay");
        assert_eq!(with([0, 2, 4], 512), 7 + 31_010 - 2 * (31_010 - 20_101));
        let mut rows = Rows { axes: 8, ..Rows::default() };
        rows.class = [1; MAX_AXES];
        let extreme =
            StepBiases { time: &[32_767], classes: &[-32_768, 32_767], columns: 1, rows, guidance_scale: 4096 };
        assert_eq!(extreme.value(0), 32_767 - 32_768 + 16 * 65_535);
    }
}
