//! Cortex-M3: a multiply-accumulate, but one product at a time. Two products share a multiplication.
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

use super::epilogue::Requantize;
use super::ring::{self, Spread};
use super::tiled::{self, Isa};
use super::{packing, portable, rows, Conv, Depthwise, Linear, Output};
use core::arch::asm;

pub use super::portable::{add, lut};

/// Like [`portable::conv`].
#[inline(never)]
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    if !tiled::conv::<Armv7m>(conv, &mut out, scratch) {
        portable::conv(conv, out, scratch);
    }
}

/// Like [`portable::depthwise`].
#[inline(never)]
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    if !ring::depthwise::<Armv7m>(conv, out, scratch) {
        portable::depthwise(conv, out, scratch);
    }
}

/// Like [`portable::linear`].
pub fn linear(linear: &Linear, mut out: Output) {
    if !rows::linear::<Armv7m, 4>(linear, &mut out, add_rows) {
        portable::linear(linear, out);
    }
}

/// One input times four weights.
macro_rules! linear_tap {
    () => {
        concat!(
            "ldrsb r4, [r12], #1\n",
            "ldrsb r5, [r8], #1\n mla r0, r4, r5, r0\n ldrsb r5, [r9], #1\n mla r1, r4, r5, r1\n",
            "ldrsb r5, [r10], #1\n mla r2, r4, r5, r2\n ldrsb r5, [r11], #1\n mla r3, r4, r5, r3\n",
        )
    };
}

/// Four taps of a linear layer a turn, four outputs share each; the last taps of a row one by one.
///
/// # Safety
/// See [`rows::Rows`].
unsafe fn add_rows(acc: &mut [i32; 4], input: *const i8, row: *const i8, step: usize, inputs: usize) {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "subs lr, #4",
            "blt 3f",
            "2:",
            linear_tap!(), linear_tap!(), linear_tap!(), linear_tap!(),
            "subs lr, #4",
            "bge 2b",
            "3:",
            "adds lr, #4",
            "beq 5f",
            "4:",
            linear_tap!(),
            "subs lr, #1",
            "bne 4b",
            "5:",
            inout("r0") acc[0], inout("r1") acc[1], inout("r2") acc[2], inout("r3") acc[3],
            inout("r8") row => _, inout("r9") row.add(step) => _, inout("r10") row.add(2 * step) => _,
            inout("r11") row.add(3 * step) => _, inout("r12") input => _, inout("lr") inputs => _,
            out("r4") _, out("r5") _,
            options(readonly, nostack),
        );
    }
}

struct Armv7m;

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

impl Spread for Armv7m {
    #[inline(always)]
    fn spread(values: u32) -> [u32; 2] {
        packing::halves(values)
    }

    #[inline(always)]
    unsafe fn multiply_add(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: the caller's promise.
        unsafe { packing::multiply_add_halves(acc, x, w) }
    }
}

impl Requantize for Armv7m {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        crate::quant::scale(acc, multiplier).wrapping_add(offset)
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        let result;
        // SAFETY: a register operation.
        unsafe { asm!("ssat {}, #8, {}", out(reg) result, in(reg) q, options(pure, nomem, nostack, preserves_flags)) };
        result
    }
}
