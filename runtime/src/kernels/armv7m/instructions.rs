//! What this instruction set does better than the compiler, in small.

use crate::kernels::shared::requantize::Requantize;
use crate::kernels::shared::ring::Spread;
use core::arch::asm;

/// The instruction set.
pub struct Armv7m;

impl Spread for Armv7m {
    #[inline(always)]
    unsafe fn multiply_add([mut a, mut b, mut c, mut d]: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: reads the two words of `x` and of `w`.
        unsafe {
            asm!(
                "ldrsh {t}, [{x}]", "ldrsh {u}, [{w}]", "mla {a}, {t}, {u}, {a}",
                "ldrsh {t}, [{x}, #2]", "ldrsh {u}, [{w}, #2]", "mla {b}, {t}, {u}, {b}",
                "ldrsh {t}, [{x}, #4]", "ldrsh {u}, [{w}, #4]", "mla {c}, {t}, {u}, {c}",
                "ldrsh {t}, [{x}, #6]", "ldrsh {u}, [{w}, #6]", "mla {d}, {t}, {u}, {d}",
                a = inout(reg) a, b = inout(reg) b, c = inout(reg) c, d = inout(reg) d,
                x = in(reg) x, w = in(reg) w, t = out(reg) _, u = out(reg) _,
                options(readonly, nostack, preserves_flags),
            );
        }
        [a, b, c, d]
    }
}

impl Requantize for Armv7m {
    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        let result;
        // SAFETY: a register operation.
        unsafe { asm!("ssat {}, #8, {}", out(reg) result, in(reg) q, options(pure, nomem, nostack, preserves_flags)) };
        result
    }
}
