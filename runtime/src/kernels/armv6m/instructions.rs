//! What this instruction set does better than the compiler, in small.

use crate::kernels::shared::requantize::{self, Requantize};
use crate::kernels::shared::ring::Spread;

/// The instruction set.
pub struct Armv6m;

impl Spread for Armv6m {}

impl Requantize for Armv6m {
    /// [`quant::scale`](crate::quant::scale) in two 32-bit products: the upper and the lower half of `acc`.
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        let multiplier = multiplier as i32;
        let low = (acc as u16 as i32).wrapping_mul(multiplier) >> 16;
        (acc >> 16).wrapping_mul(multiplier).wrapping_add(low).wrapping_add(offset)
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        requantize::saturate_by_sign(q)
    }
}
