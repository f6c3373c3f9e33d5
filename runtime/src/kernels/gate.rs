//! Elementwise product of two values behind a table each.

use super::arguments::{elementwise, Arguments, Misfit};
use super::epilogue::Output;
use super::portable::{look_up, tail};
use crate::quant::clamp_i8;
use core::cell::Cell;

/// An elementwise product of two values behind a table each:
/// `q = clamp((tables[0][a + 128]·tables[1][b + 128]·multiplier + offset) >> shift)`.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// First operand; `None` when the output buffer holds it (in place).
    pub a: Option<&'a [i8]>,
    /// Second operand.
    pub b: &'a [i8],
    /// What becomes of −128, −127 and so on, for a and for b.
    pub tables: [&'a [i8; 256]; 2],
    /// Multiplier of the product.
    pub multiplier: i16,
    /// Zero point and rounding; at most 2^29 in size where nothing shall wrap.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
}

impl Gate<'_> {
    /// Of the values from `first` on.
    #[inline(always)]
    pub(super) fn from(&self, first: usize) -> Self {
        Self { a: self.a.map(|a| tail(a, first)), b: tail(self.b, first), ..*self }
    }
}

impl Arguments for Gate<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        elementwise(out, [self.a, Some(self.b)])
    }
}

/// Elementwise product of two tensors behind a table each.
pub(super) fn portable(gate: &Gate, out: &[Cell<i8>]) {
    let [table_a, table_b] = gate.tables;
    let product = |a: i8, b: i8| {
        let product = look_up(Some(table_a), a) as i32 * look_up(Some(table_b), b) as i32;
        let t = product.wrapping_mul(gate.multiplier as i32).wrapping_add(gate.offset);
        clamp_i8(t >> (gate.shift as u32 & 31))
    };
    match gate.a {
        Some(a) => out.iter().zip(a).zip(gate.b).for_each(|((o, &a), &b)| o.set(product(a, b))),
        None => out.iter().zip(gate.b).for_each(|(o, &b)| o.set(product(o.get(), b))),
    }
}
