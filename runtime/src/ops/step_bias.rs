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
/// guidance. Tables are i16, little endian.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepBiases<'a> {
    /// From the time row on.
    pub(crate) time: &'a [u8],
    /// From the class tables on.
    pub(crate) classes: &'a [u8],
    /// Columns of the class tables.
    pub(crate) columns: usize,
    /// Classes of each axis.
    pub(crate) counts: &'a [u16],
    /// The class of each axis; where none is asked for, or where the axis has no such class, its row of no class counts.
    pub(crate) asked: &'a [u16; MAX_AXES],
    pub(crate) guidance_scale: i32,
}

impl<'a> StepBiases<'a> {
    /// Those of a model without classes.
    #[cfg(test)]
    pub(crate) fn of_time(time: &'a [i16]) -> Self {
        let (counts, asked) = (&[], &[0; MAX_AXES]);
        Self { time: bytemuck::cast_slice(time), classes: &[], columns: 0, counts, asked, guidance_scale: 256 }
    }

    /// `time + none + ⌊guidance·(class − none)/256 + 1/2⌋` of one column, `none` and `class` being the sums of a row an
    /// axis, clamped to 16 bits.
    #[inline]
    pub(crate) fn value(&self, column: usize) -> i32 {
        let (none, class) = (self.sum(column, &[u16::MAX; MAX_AXES]), self.sum(column, self.asked));
        at(self.time, column) + none + ((self.guidance_scale * (class - none) + 128) >> 8)
    }

    /// The sum of a column of the rows of these classes.
    #[inline(never)]
    fn sum(&self, column: usize, asked: &[u16; MAX_AXES]) -> i32 {
        let (mut sum, mut first) = (0, 0);
        for (&count, &asked) in self.counts.iter().zip(asked) {
            let row = first + usize::from(count.min(asked));
            sum += at(self.classes, row.wrapping_mul(self.columns).wrapping_add(column));
            first += usize::from(count) + 1;
        }
        clamp_i16(sum).into()
    }

    /// The bias of channel `channel` in units of the accumulator.
    pub(super) fn shifted(&self, bias: &StepBias, channel: usize) -> i32 {
        self.value(bias.column as usize + channel) << (bias.shift as u32 & 31)
    }
}

/// Value number `index` of a table, or 0 beyond its end.
#[inline(never)]
fn at(table: &[u8], index: usize) -> i32 {
    table.as_chunks().0.get(index).map_or(0, |&value| i16::from_le_bytes(value).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_time_plus_class_under_guidance() {
        let (time, classes) = ([100i16, -7], [14i16, -30000, 10, 3]);
        let value = |guidance_scale, column| with([&time, &classes], 2, &[1], &[0], guidance_scale)(column);
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
        let three = |asked: [u16; 3], scale| with([&[7], &classes], 1, &[1, 1, 1], &asked, scale)(0);
        const NONE: u16 = u16::MAX;
        assert_eq!(three([NONE; 3], 256), 7 + 31_010);
        assert_eq!(three([0, NONE, NONE], 256), 7 + 31_001, "one axis changes, the others stay");
        assert_eq!(three([0, 0, 0], 512), 7 + 31_010 - 2 * (31_010 - 20_101));
        let classes = [32_767i16, -32_768].repeat(MAX_AXES);
        let extreme = with([&[32_767], &classes], 1, &[1; MAX_AXES], &[0; MAX_AXES], 4096);
        assert_eq!(extreme(0), 32_767 - 32_768 + 16 * 65_535);
    }

    /// Time row and class tables, their columns, the classes of each axis, and those that are asked for.
    fn with(
        tables: [&[i16]; 2],
        columns: usize,
        counts: &[u16],
        classes: &[u16],
        guidance_scale: i32,
    ) -> impl Fn(usize) -> i32 {
        let [time, tables] = tables.map(|table| bytemuck::cast_slice(table).to_vec());
        let (counts, mut asked) = (counts.to_vec(), [u16::MAX; MAX_AXES]);
        asked[..classes.len()].copy_from_slice(classes);
        move |column| {
            let (counts, asked) = (&counts, &asked);
            StepBiases { time: &time, classes: &tables, columns, counts, asked, guidance_scale }.value(column)
        }
    }
}
