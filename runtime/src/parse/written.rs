//! Which values lie whole in the arena while ops are gone through in order.

use super::limits::MAX_VALUES;
use crate::format::Tensor;
use crate::ops::OpFault;
use core::ops::Range;

/// A value's first byte and the one behind it; nothing in an empty one. The elements' size tells i8 from i16.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Value {
    start: u32,
    /// Bytes, and in the highest bit whether elements are larger than a byte.
    len: u32,
}

const WIDE: u32 = 1 << 31;

impl Value {
    fn of(tensor: &Tensor) -> Self {
        let wide = if tensor.element.size() > 1 { WIDE } else { 0 };
        Self { start: tensor.offset, len: tensor.len() as u32 | wide }
    }
}

/// The values that were written whole and not touched since. A table of fixed size, so that the work for an op does not
/// grow with the number of ops before it.
pub(super) struct Written {
    values: [Value; MAX_VALUES],
}

impl Written {
    /// Nothing yet.
    pub(super) fn nothing() -> Self {
        Self { values: [Value::default(); MAX_VALUES] }
    }

    /// Whether the last write to the tensor's bytes wrote exactly these.
    pub(super) fn holds(&self, tensor: &Tensor) -> bool {
        let value = Value::of(tensor);
        self.values.contains(&value)
    }

    /// Forgets what lies in a range.
    pub(super) fn overwrite(&mut self, range: Range<usize>) {
        let (start, end) = (range.start as u32, range.end as u32);
        for value in &mut self.values {
            if value.start < end && start < value.start + (value.len & !WIDE) {
                *value = Value::default();
            }
        }
    }

    /// The tensor is whole from now on, and what it overlaps is not.
    pub(super) fn write(&mut self, tensor: &Tensor) -> Result<(), OpFault> {
        self.overwrite(tensor.range());
        let free = self.values.iter_mut().find(|value| value.len == 0).ok_or(OpFault::TooManyValues)?;
        *free = Value::of(tensor);
        Ok(())
    }
}
