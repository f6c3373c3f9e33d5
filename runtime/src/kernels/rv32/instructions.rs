//! What this instruction set does better than the compiler, in small.

use crate::kernels::shared::requantize::{self, Requantize};
use crate::kernels::shared::ring::Spread;
use core::arch::asm;

/// The instruction set.
pub struct Rv32;

impl Spread for Rv32 {
    #[inline(always)]
    unsafe fn multiply_add([mut a, mut b, mut c, mut d]: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: reads the two words of `x` and of `w`.
        unsafe {
            asm!(
                "lh {t}, 0({x})", "lh {u}, 0({w})", "mul {t}, {t}, {u}", "add {a}, {a}, {t}",
                "lh {t}, 2({x})", "lh {u}, 2({w})", "mul {t}, {t}, {u}", "add {b}, {b}, {t}",
                "lh {t}, 4({x})", "lh {u}, 4({w})", "mul {t}, {t}, {u}", "add {c}, {c}, {t}",
                "lh {t}, 6({x})", "lh {u}, 6({w})", "mul {t}, {t}, {u}", "add {d}, {d}, {t}",
                a = inout(reg) a, b = inout(reg) b, c = inout(reg) c, d = inout(reg) d,
                x = in(reg) x, w = in(reg) w, t = out(reg) _, u = out(reg) _,
                options(readonly, nostack, preserves_flags),
            );
        }
        [a, b, c, d]
    }
}

impl Requantize for Rv32 {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        requantize::scale_by_upper_half(acc, multiplier, offset)
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        requantize::saturate_by_sign(q)
    }
}
