//! What an op's rule for parsing is checked against.

use super::fault::OpFault;
use crate::format::{Element, Table, TableError, TableFault, Tensor};
use crate::quant::SHIFT_RANGE;

/// Largest arena, in bytes.
pub(crate) const MAX_ARENA: u64 = 1 << 24;
/// Bound on |Σ w·x|, on |bias|, on |step bias| and on |offset|: three of them fit 32 bits with room.
pub(super) const PART_LIMIT: u64 = 1 << 29;
/// The most products in a sum, |w·x| being at most 127·128.
pub(super) const MAX_TAPS: usize = PART_LIMIT as usize / (127 * 128);

/// The model's memory, for checks.
pub(crate) struct Checker<'a> {
    blob: &'a [u8],
    arena_len: u64,
    /// Columns of the tables of channel biases.
    pub(crate) columns: u64,
    /// Bytes of tables that may still be examined.
    unexamined: usize,
}

impl<'a> Checker<'a> {
    pub(crate) fn new(blob: &'a [u8], arena_len: u64, columns: u64) -> Self {
        Self { blob, arena_len, columns, unexamined: blob.len() }
    }

    /// A table of `len` bytes in the blob; an empty table may lie anywhere.
    #[inline(never)]
    pub(crate) fn table(&self, table: Table, offset: u32, len: u64, align: u32) -> Result<&'a [u8], TableError> {
        let error = |fault| TableError { table, fault };
        if len == 0 {
            return Ok(&[]);
        }
        if offset & (align - 1) != 0 {
            return Err(error(TableFault::Misaligned));
        }
        let end = (offset as u64).saturating_add(len);
        if end > self.blob.len() as u64 {
            return Err(error(TableFault::Outside));
        }
        self.blob.get(offset as usize..end as usize).ok_or(error(TableFault::Outside))
    }

    /// A table whose bytes will be looked at one by one. No more bytes than the blob has can be asked for in all, so that
    /// the work of parsing grows with the file's length alone.
    #[inline(never)]
    pub(crate) fn examined(&mut self, table: Table, offset: u32, len: u64, align: u32) -> Result<&'a [u8], TableError> {
        let bytes = self.table(table, offset, len, align)?;
        let shared = TableError { table, fault: TableFault::Shared };
        self.unexamined = self.unexamined.checked_sub(bytes.len()).ok_or(shared)?;
        #[cfg(test)]
        crate::format::work::add(bytes.len());
        Ok(bytes)
    }

    /// An activation table, if there is one.
    #[inline(never)]
    pub(super) fn lut(&self, lut: Option<u32>) -> Result<(), OpFault> {
        if let Some(offset) = lut {
            self.table(Table::Lut, offset, 256, 1)?;
        }
        Ok(())
    }

    /// Dimensions are not zero and the tensor lies in the arena.
    pub(crate) fn tensor(&self, tensor: &Tensor) -> Result<(), OpFault> {
        let values = tensor.shape.iter().fold(1u64, |n, &d| n * d as u64);
        if values == 0 || values > MAX_ARENA {
            return Err(OpFault::Shape);
        }
        self.buffer(tensor.offset, values * tensor.element.size() as u64)
    }

    /// `len` bytes from `offset` on lie in the arena, at a multiple of 4.
    pub(crate) fn buffer(&self, offset: u32, len: u64) -> Result<(), OpFault> {
        if offset as u64 + len > self.arena_len {
            return Err(OpFault::Outside);
        }
        if !offset.is_multiple_of(4) {
            return Err(OpFault::Misaligned);
        }
        Ok(())
    }
}

/// All tensors are of activations.
#[inline(never)]
pub(super) fn all_i8(tensors: &[&Tensor]) -> Result<(), OpFault> {
    if tensors.iter().all(|t| t.element == Element::I8) {
        Ok(())
    } else {
        Err(OpFault::Element)
    }
}

/// Both have the same shape.
#[inline(never)]
pub(super) fn same_shape(a: &Tensor, b: &Tensor) -> Result<(), OpFault> {
    if a.shape == b.shape {
        Ok(())
    } else {
        Err(OpFault::Shape)
    }
}

/// An op that moves values: `big` has the shape given, both have the same element.
pub(super) fn moved(small: &Tensor, big: &Tensor, shape: [u32; 3]) -> Result<(), OpFault> {
    if small.element != big.element {
        return Err(OpFault::Element);
    }
    if big.shape.map(u32::from) != shape {
        return Err(OpFault::Shape);
    }
    Ok(())
}

/// The last shift and what is added before it.
#[inline(never)]
pub(super) fn final_shift(shift: u8, offset: i32) -> Result<(), OpFault> {
    if SHIFT_RANGE.contains(&shift) && offset.unsigned_abs() as u64 <= PART_LIMIT {
        Ok(())
    } else {
        Err(OpFault::Requantization)
    }
}
