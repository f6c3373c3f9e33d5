//! Dense convolution.
//!
//! The register tile of a dense convolution, four pixels by one output channel; one weight word is widened
//! by two `sxtb16` and meets four pixels, four taps a pixel in two `smlad`:
//!
//! ```text
//!                    weights  w3 w2 w1 w0     ldr
//!                             w2 w0 │ w3 w1   sxtb16, sxtb16 ror 8
//!   patches (ldm)              │        │
//!   pixel 0   x2 x0 │ x3 x1    smlad    smlad   → r0
//!   pixel 1   x2 x0 │ x3 x1    smlad    smlad   → r1
//!   pixel 2   x2 x0 │ x3 x1    smlad    smlad   → r2
//!   pixel 3   x2 x0 │ x3 x1    smlad    smlad   → r3
//! ```
//!
//! 13 instructions for 16 products, 14 with the loop.

use super::instructions::{even, odd, Dsp};
use crate::kernels::shared::tiles::Isa;
use core::arch::asm;

/// One block of the tile: widen a weight word, meet two pixels by each `ldm`.
macro_rules! widen_weights {
    () => {
        "ldr r11, [r12], #4\n sxtb16 r10, r11\n sxtb16 r11, r11, ror #8\n"
    };
}
macro_rules! two_pixels {
    ($a:literal, $b:literal) => {
        concat!(
            "ldm lr!, {{r4, r5, r8, r9}}\n",
            "smlad ",
            $a,
            ", r4, r10, ",
            $a,
            "\n smlad ",
            $a,
            ", r5, r11, ",
            $a,
            "\n",
            "smlad ",
            $b,
            ", r8, r10, ",
            $b,
            "\n smlad ",
            $b,
            ", r9, r11, ",
            $b,
            "\n",
        )
    };
}

impl Isa for Dsp {
    type Block = [u32; 2];

    #[inline(always)]
    fn widen(values: u32) -> [u32; 2] {
        [even(values), odd(values)]
    }

    #[inline(always)]
    unsafe fn dot4(row: *const u32, patch: *const [u32; 2], blocks: usize, bias: i32) -> [i32; 4] {
        let mut acc = [bias; 4];
        // SAFETY: reads `blocks` words of `row` and `8·blocks` of `patch`; two blocks a turn, an odd one enters in the
        // middle. r6, which cannot be an operand, is saved.
        unsafe {
            asm!(
                "push {{r6}}",
                "add r6, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                widen_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "3:",
                widen_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "cmp r12, r6",
                "bne 2b",
                "pop {{r6}}",
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
        // SAFETY: like `dot4` with `4·blocks` words of `patch`.
        unsafe {
            asm!(
                "add r3, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                widen_weights!(), two_pixels!("r0", "r1"),
                "3:",
                widen_weights!(), two_pixels!("r0", "r1"),
                "cmp r12, r3",
                "bne 2b",
                inout("r0") acc[0], inout("r1") acc[1], out("r3") _,
                inout("r11") blocks => _, inout("r12") row => _, inout("lr") patch => _,
                out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                options(readonly, nostack),
            );
        }
        acc
    }
}
