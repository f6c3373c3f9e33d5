//! How far the outputs of a network look: its receptive field.

use crate::format::Tensor;
use crate::model::Model;
use crate::parse::MAX_VALUES;
use core::ops::Range;

/// How far a column of a tensor looks. Column c, which stands for the `unit` columns of the network's input from c·unit
/// on, depends on these, on `left` columns before them and on `right` behind them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    /// Columns of the input that a column stands for.
    pub(super) unit: u32,
    pub(super) left: u32,
    pub(super) right: u32,
}

impl Reach {
    /// Of the input itself.
    const INPUT: Self = Self { unit: 1, left: 0, right: 0 };

    /// Of a local condition of so many columns beside an input of `width`; `None` where these do not divide that.
    fn of_local(width: u32, columns: u32) -> Option<Self> {
        let unit = width.checked_div(columns)?;
        (unit.checked_mul(columns) == Some(width)).then_some(Self { unit, left: 0, right: 0 })
    }

    /// Of columns that look at the same columns of all operands; `None` without any, or where columns stand for different
    /// parts of the input.
    pub(crate) fn joined(operands: [Option<Self>; 3]) -> Option<Self> {
        let mut all = operands.into_iter().flatten();
        let first = all.next()?;
        all.try_fold(first, |a, b| {
            let longer = Self { unit: a.unit, left: a.left.max(b.left), right: a.right.max(b.right) };
            (a.unit == b.unit).then_some(longer)
        })
    }

    /// Of columns that are `columns` of this one's each, and of which none is cut.
    pub(crate) fn gathered(self, columns: u32) -> Option<Self> {
        Some(Self { unit: self.unit.checked_mul(columns)?, ..self })
    }

    /// Of columns, so many for each of these, that look at nothing else.
    pub(crate) fn enlarged(self, columns: u32) -> Option<Self> {
        let unit = self.unit.checked_div(columns).filter(|unit| unit.checked_mul(columns) == Some(self.unit))?;
        // The first and the last of them stand for a part, and look at what the whole looks at.
        let more = self.unit.checked_sub(unit)?;
        Some(Self { unit, left: self.left.checked_add(more)?, right: self.right.checked_add(more)? })
    }

    /// Of the outputs of a convolution whose taps span `span` columns: output o sees those from o·stride − pad on.
    pub(crate) fn seen_through(self, span: u32, stride: u32, pad: u32) -> Option<Self> {
        let left = self.left.checked_add(pad.checked_mul(self.unit)?)?;
        // The last column seen, behind the last one that the output stands for.
        let behind = span.saturating_sub(pad).saturating_sub(stride);
        let right = self.right.checked_add(behind.checked_mul(self.unit)?)?;
        Some(Self { unit: self.unit.checked_mul(stride)?, left, right })
    }
}

/// What [`of`] finds of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// Of its output.
    pub reach: Reach,
    /// Signals that begin at multiples of this number of columns are seen by the same columns everywhere. Even, so that
    /// two values of noise that are drawn together stay together.
    pub step: u32,
}

/// The receptive field of a network over signals; `None` of one whose columns are not the same everywhere, such as one
/// with positions or a dense layer over all columns.
pub(super) fn of(model: &Model) -> Option<Field> {
    let header = model.header();
    let width = u32::from(header.input.shape[1]);
    if header.input.shape[0] != 1 {
        return None;
    }
    let mut seen = Seen([None; MAX_VALUES]);
    let mut step = 2;
    for (index, op) in model.ops().enumerate() {
        // What is computed before does not read the input, and may use its place.
        if index == usize::from(model.prelude()) {
            seen.write(&header.input, Reach::INPUT)?;
        }
        let local = op.prelude().is_some();
        let op = op.operation();
        let mut reaches = [None; 3];
        for (reach, tensor) in reaches.iter_mut().zip(op.operands()) {
            if let Some(tensor) = tensor {
                *reach = Some(seen.find(tensor)?);
            }
        }
        let output = op.output();
        let reach = match local {
            true => Reach::of_local(width, output.shape[1].into())?,
            false => op.reach(reaches)?,
        };
        // Else a column is missing, or there is one too many.
        if reach.unit.checked_mul(output.shape[1].into()) != Some(width) {
            return None;
        }
        step = common_multiple(step, reach.unit)?;
        let (scratch, scratch_len) = op.scratch();
        seen.overwrite(scratch as usize..scratch as usize + scratch_len);
        seen.write(output, reach)?;
    }
    let reach = seen.find(&header.output)?;
    (reach.unit == 1).then_some(Field { reach, step })
}

/// The least common multiple.
fn common_multiple(a: u32, b: u32) -> Option<u32> {
    let (mut divisor, mut rest) = (a, b);
    while rest != 0 {
        (divisor, rest) = (rest, divisor.checked_rem(rest)?);
    }
    a.checked_div(divisor)?.checked_mul(b)
}

/// What lies in the arena. Parsing has made sure that there are never more values than this holds.
struct Seen([Option<(u32, u32, Reach)>; MAX_VALUES]);

impl Seen {
    fn find(&self, tensor: &Tensor) -> Option<Reach> {
        let place = (tensor.offset, tensor.len() as u32);
        self.0.iter().flatten().find(|(start, len, _)| (*start, *len) == place).map(|(.., reach)| *reach)
    }

    fn overwrite(&mut self, range: Range<usize>) {
        let (from, to) = (range.start as u32, range.end as u32);
        for slot in &mut self.0 {
            if slot.is_some_and(|(start, len, _)| start < to && from < start.saturating_add(len)) {
                *slot = None;
            }
        }
    }

    fn write(&mut self, tensor: &Tensor, reach: Reach) -> Option<()> {
        self.overwrite(tensor.range());
        *self.0.iter_mut().find(|slot| slot.is_none())? = Some((tensor.offset, tensor.len() as u32, reach));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDE: Reach = Reach { unit: 4, left: 3, right: 5 };

    #[test]
    fn convolutions_look_as_far_as_their_taps() {
        let through = |span, stride, pad| Reach::INPUT.seen_through(span, stride, pad).unwrap();
        // Output o sees o − 1 to o + 1.
        assert_eq!(through(3, 1, 1), Reach { unit: 1, left: 1, right: 1 });
        // Output o sees 2o − 1 to 2o + 1, and stands for 2o and 2o + 1.
        assert_eq!(through(3, 2, 1), Reach { unit: 2, left: 1, right: 0 });
        // Taps 4 apart, all of them ahead.
        assert_eq!(through(9, 1, 0), Reach { unit: 1, left: 0, right: 8 });
        // A column of 4 samples.
        assert_eq!(WIDE.seen_through(5, 1, 2), Some(Reach { unit: 4, left: 11, right: 13 }));
        assert_eq!(WIDE.seen_through(u32::MAX, 1, 2), None);
    }

    #[test]
    fn parts_look_at_what_the_whole_looks_at() {
        assert_eq!(WIDE.enlarged(2), Some(Reach { unit: 2, left: 5, right: 7 }));
        assert_eq!(WIDE.enlarged(1), Some(WIDE));
        assert_eq!((WIDE.enlarged(3), WIDE.enlarged(0), WIDE.enlarged(8)), (None, None, None));
        assert_eq!(WIDE.gathered(2), Some(Reach { unit: 8, ..WIDE }));
        assert_eq!(WIDE.gathered(1 << 31), None);
    }

    #[test]
    fn operands_are_as_wide_as_each_other() {
        let far = Reach { unit: 4, left: 9, right: 1 };
        assert_eq!(Reach::joined([Some(WIDE), None, Some(far)]), Some(Reach { unit: 4, left: 9, right: 5 }));
        assert_eq!(Reach::joined([Some(WIDE), Some(Reach::INPUT), None]), None);
        assert_eq!(Reach::joined([None; 3]), None);
        assert_eq!(
            [common_multiple(2, 3), common_multiple(8, 2), common_multiple(1 << 31, 3)],
            [Some(6), Some(8), None]
        );
    }
}
