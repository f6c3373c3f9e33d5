//! Table lookup.

use super::arguments::{elementwise, Arguments, Misfit};
use super::epilogue::Output;
use super::portable::{look_up, tail};
use core::cell::Cell;

/// Replaces every value by `table[value + 128]`.
#[derive(Clone, Copy, Debug)]
pub struct Lut<'a> {
    /// The values; `None` when the output buffer holds them (in place).
    pub input: Option<&'a [i8]>,
    /// What becomes of −128, −127 and so on.
    pub table: &'a [i8; 256],
}

impl Lut<'_> {
    /// Of the values from `first` on.
    #[inline(always)]
    pub(super) fn from(&self, first: usize) -> Self {
        Self { input: self.input.map(|input| tail(input, first)), ..*self }
    }
}

impl Arguments for Lut<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        elementwise(out, [self.input])
    }
}

/// Table lookup.
pub(super) fn portable(lut: &Lut, out: &[Cell<i8>]) {
    let Lut { input, table } = *lut;
    match input {
        Some(input) => out.iter().zip(input).for_each(|(o, &i)| o.set(look_up(Some(table), i))),
        None => out.iter().for_each(|o| o.set(look_up(Some(table), o.get()))),
    }
}
