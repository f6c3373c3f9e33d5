//! Dense convolution.
//!
//! Two taps lie in one word, in opposite order for activations and weights:
//!
//! ```text
//!    x0·2^16 + x2        times        w2·2^16 + w0
//!  = (x0·w0 + x2·w2)·2^16  +  x2·w0        (mod 2^32)
//! ```
//!
//! |x2·w0| < 2^15 and |x0·w0 + x2·w2| < 2^15, because |w| ≤ 127 and |x| ≤ 128. So adding 2^15 (the addend
//! of `mla`) and shifting by 16 leaves the sum of both products exactly.
//!
//! The register tile of a dense convolution, four pixels by one output channel:
//!
//! ```text
//!                     weights  w3 w2 w1 w0     ldr, six instructions to form the pairs
//!                              w2│w0   w3│w1
//!   patches (ldm)                │       │
//!   pixel 0   x0│x2   x1│x3    mla add  mla add   → r0
//!   pixel 1   x0│x2   x1│x3    mla add  mla add   → r1
//!   pixel 2   x0│x2   x1│x3    mla add  mla add   → r2
//!   pixel 3   x0│x2   x1│x3    mla add  mla add   → r3
//! ```
//!
//! 25 instructions for 16 products, 26 with the loop.

use super::instructions::Armv7m;
use crate::kernels::shared::packing;
use crate::kernels::shared::tiles::Isa;
use core::arch::asm;

/// A weight word as two pairs, r10 and r11; r7 is 2^15.
macro_rules! pair_weights {
    () => {
        concat!(
            "ldr r4, [r12], #4\n",
            "sxtb r10, r4\n sbfx r11, r4, #8, #8\n sbfx r5, r4, #16, #8\n asr r4, r4, #24\n",
            "add r10, r10, r5, lsl #16\n add r11, r11, r4, lsl #16\n",
        )
    };
}
macro_rules! two_pixels {
    ($a:literal, $b:literal) => {
        concat!(
            "ldm lr!, {{r4, r5, r8, r9}}\n",
            "mla r4, r4, r10, r7\n add ",
            $a,
            ", ",
            $a,
            ", r4, asr #16\n",
            "mla r5, r5, r11, r7\n add ",
            $a,
            ", ",
            $a,
            ", r5, asr #16\n",
            "mla r8, r8, r10, r7\n add ",
            $b,
            ", ",
            $b,
            ", r8, asr #16\n",
            "mla r9, r9, r11, r7\n add ",
            $b,
            ", ",
            $b,
            ", r9, asr #16\n",
        )
    };
}

impl Isa for Armv7m {
    type Block = [u32; 2];

    #[inline(always)]
    fn widen(values: u32) -> [u32; 2] {
        packing::pairs(values)
    }

    #[inline(always)]
    unsafe fn dot4(row: *const u32, patch: *const [u32; 2], blocks: usize, bias: i32) -> [i32; 4] {
        let mut acc = [bias; 4];
        // SAFETY: reads `blocks` words of `row` and `4·blocks` blocks of `patch`; two blocks a turn, an odd one enters
        // in the middle. r6 and r7, which cannot be operands, are saved.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "mov r7, #0x8000",
                "add r6, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                pair_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "3:",
                pair_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "cmp r12, r6",
                "bne 2b",
                "pop {{r6, r7}}",
                inout("r0") acc[0], inout("r1") acc[1], inout("r2") acc[2], inout("r3") acc[3],
                inout("r11") blocks => _, inout("r12") row => _, inout("lr") patch => _,
                out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                options(readonly),
            );
        }
        acc
    }

    #[inline(always)]
    unsafe fn dot2(row: *const u32, patch: *const [u32; 2], blocks: usize, bias: i32) -> [i32; 2] {
        let mut acc = [bias; 2];
        // SAFETY: like `dot4` with `2·blocks` blocks of `patch`.
        unsafe {
            asm!(
                "push {{r7}}",
                "mov r7, #0x8000",
                "add r3, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                pair_weights!(), two_pixels!("r0", "r1"),
                "3:",
                pair_weights!(), two_pixels!("r0", "r1"),
                "cmp r12, r3",
                "bne 2b",
                "pop {{r7}}",
                inout("r0") acc[0], inout("r1") acc[1], out("r3") _,
                inout("r11") blocks => _, inout("r12") row => _, inout("lr") patch => _,
                out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                options(readonly),
            );
        }
        acc
    }
}
