//! Elementwise sum.

use super::arguments::{elementwise, Arguments, Misfit};
use super::epilogue::Output;
use super::portable::{look_up, tail};
use crate::quant::clamp_i8;
use core::cell::Cell;

/// An elementwise sum: `q = clamp((a·m_a + b·m_b + offset) >> shift)`, then looked up.
#[derive(Clone, Copy, Debug)]
pub struct Add<'a> {
    /// First operand; `None` when the output buffer holds it (in place).
    pub a: Option<&'a [i8]>,
    /// Second operand.
    pub b: &'a [i8],
    /// Multipliers of a and b.
    pub multipliers: [i16; 2],
    /// Zero points and rounding.
    pub offset: i32,
    /// The last shift.
    pub shift: u8,
    /// Activation.
    pub lut: Option<&'a [i8; 256]>,
}

impl Add<'_> {
    /// Of the values from `first` on.
    #[inline(always)]
    pub(super) fn from(&self, first: usize) -> Self {
        Self { a: self.a.map(|a| tail(a, first)), b: tail(self.b, first), ..*self }
    }
}

impl Arguments for Add<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        elementwise(out, [self.a, Some(self.b)])
    }
}

/// Elementwise sum of two tensors.
pub(super) fn portable(add: &Add, out: &[Cell<i8>]) {
    let [ma, mb] = add.multipliers.map(|m| m as i32);
    let sum = |a: i8, b: i8| {
        let t = (a as i32 * ma).wrapping_add(b as i32 * mb).wrapping_add(add.offset);
        look_up(add.lut, clamp_i8(t >> (add.shift as u32 & 31)))
    };
    match add.a {
        Some(a) => out.iter().zip(a).zip(add.b).for_each(|((o, &a), &b)| o.set(sum(a, b))),
        None => out.iter().zip(add.b).for_each(|(o, &b)| o.set(sum(o.get(), b))),
    }
}
