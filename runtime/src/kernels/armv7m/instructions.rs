//! What this instruction set does better than the compiler, in small.

use crate::kernels::shared::requantize::Requantize;
use crate::kernels::shared::ring::Spread;
use core::arch::asm;

/// The instruction set.
pub struct Armv7m;

impl Spread for Armv7m {}

impl Requantize for Armv7m {
    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        let result;
        // SAFETY: a register operation.
        unsafe { asm!("ssat {}, #8, {}", out(reg) result, in(reg) q, options(pure, nomem, nostack, preserves_flags)) };
        result
    }
}
