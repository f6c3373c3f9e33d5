//! What this instruction set does better than the compiler, in small.

use crate::kernels::shared::requantize::{self, Requantize};
use crate::kernels::shared::ring::Spread;

/// The instruction set.
pub struct Helium;

impl Spread for Helium {}

impl Requantize for Helium {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        requantize::scale_by_upper_half(acc, multiplier, offset)
    }
}
