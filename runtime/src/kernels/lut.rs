//! Table lookup.

use super::arguments::{elementwise, Arguments, Misfit};
use super::epilogue::Output;
use super::portable::look_up;

/// Replaces every value by `table[value + 128]`.
#[derive(Clone, Copy, Debug)]
pub struct Lut<'a> {
    /// The values; `None` when the output buffer holds them (in place).
    pub input: Option<&'a [i8]>,
    /// What becomes of −128, −127 and so on.
    pub table: &'a [i8; 256],
}

impl Arguments for Lut<'_> {
    fn check(&self, out: &Output, _: usize) -> Result<(), Misfit> {
        elementwise(out, [self.input])
    }
}

/// Table lookup.
pub(super) fn portable(lut: &Lut, out: &mut [i8]) {
    let Lut { input, table } = *lut;
    match input {
        Some(input) => out.iter_mut().zip(input).for_each(|(o, &i)| *o = look_up(Some(table), i)),
        None => out.iter_mut().for_each(|o| *o = look_up(Some(table), *o)),
    }
}
