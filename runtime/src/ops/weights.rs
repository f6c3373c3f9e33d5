//! Rows of weights.

use super::checker::{Checker, MAX_TAPS};
use super::fault::OpFault;
use crate::format::Table;
use crate::kernels::row_stride;

/// Bits of a weight.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Bits {
    Eight,
    #[cfg(feature = "four-bit")]
    Four,
}

impl Bits {
    /// Bytes of a row of `taps` weights.
    pub(super) const fn row_len(self, taps: usize) -> usize {
        match self {
            Self::Eight => row_stride(taps),
            #[cfg(feature = "four-bit")]
            Self::Four => row_stride(taps) / 2,
        }
    }
}

/// No weight is −128.
pub(super) fn no_minimum(weights: &[u8]) -> Result<(), OpFault> {
    if weights.contains(&0x80) {
        Err(OpFault::Weight)
    } else {
        Ok(())
    }
}

/// `rows` rows of weights with `taps` taps: zeros beyond the taps, no smallest integer, sums within bounds.
#[inline(never)]
pub(super) fn check(checker: &mut Checker, offset: u32, rows: usize, taps: usize, bits: Bits) -> Result<(), OpFault> {
    if taps == 0 || taps > MAX_TAPS {
        return Err(OpFault::Accumulator);
    }
    let row_len = bits.row_len(taps);
    let weights = checker.examined(Table::Weights, offset, rows as u64 * row_len as u64, 4)?;
    if weights.chunks_exact(row_len.max(1)).all(|row| is_clean(row, taps, bits)) {
        Ok(())
    } else {
        Err(OpFault::Weight)
    }
}

/// Nothing but zeros behind the taps, and no smallest integer.
fn is_clean(row: &[u8], taps: usize, bits: Bits) -> bool {
    match bits {
        Bits::Eight => {
            row.get(taps..).is_some_and(|tail| tail.iter().all(|&byte| byte == 0)) && no_minimum(row).is_ok()
        }
        #[cfg(feature = "four-bit")]
        Bits::Four => {
            // The last tap of an odd count has the low half of its byte.
            let odd = taps % 2;
            row.get(taps / 2..)
                .is_some_and(|tail| tail.iter().enumerate().all(|(i, &byte)| byte >> if i < odd { 4 } else { 0 } == 0))
                && row.iter().all(|&byte| byte & 0x0f != 0x08 && byte & 0xf0 != 0x80)
        }
    }
}
