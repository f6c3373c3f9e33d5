//! Cortex-M4, M7 and M33: the DSP extension's dual 16-bit multiply-accumulate.
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
//! 13 instructions for 16 products, 14 with the loop. Requantization is one `smlawb`, a shift and `ssat`.

use super::epilogue::Requantize;
use super::ring::{self, Line, Spread};
use super::tiled::{self, Isa};
use super::{portable, Conv, Depthwise, Output};
use core::arch::asm;

pub use super::dsp_rows::{add, linear};
pub use super::portable::lut;

/// Like [`portable::conv`].
#[inline(never)]
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    if !tiled::conv::<Dsp>(conv, &mut out, scratch) {
        portable::conv(conv, out, scratch);
    }
}

/// Like [`portable::depthwise`].
#[inline(never)]
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    if !ring::depthwise::<Dsp>(conv, out, scratch) {
        portable::depthwise(conv, out, scratch);
    }
}

pub(super) struct Dsp;

/// One instruction with register operands and no other effect.
macro_rules! instruction {
    ($text:literal $(, $operand:expr)*) => {{
        let result: u32;
        // SAFETY: a register operation of the DSP extension; no memory, no stack, no flag that Rust reads.
        unsafe { instruction!(@ $text, result $(, $operand)*) };
        result
    }};
    (@ $text:literal, $r:ident, $a:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr, $c:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, in(reg) $c, options(pure, nomem, nostack, preserves_flags))
    };
}

pub(super) use instruction;

/// Two signed 16-bit products added to `acc`.
#[inline(always)]
pub(super) fn smlad(x: u32, y: u32, acc: i32) -> i32 {
    instruction!("smlad {}, {}, {}, {}", x, y, acc) as i32
}

/// Bytes 0 and 2 as signed halfwords.
#[inline(always)]
pub(super) fn even(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}", values)
}

/// Bytes 1 and 3 as signed halfwords.
#[inline(always)]
pub(super) fn odd(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}, ror #8", values)
}

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

/// One tap of a depthwise window: four channels.
macro_rules! taps {
    ($row:literal, $at:literal) => {
        concat!(
            "ldrd r4, r5, [",
            $row,
            ", #",
            $at,
            "]\n ldrd r11, r12, [lr], #8\n",
            "smlabb r0, r4, r11, r0\n smlabb r1, r5, r12, r1\n",
            "smlatt r2, r4, r11, r2\n smlatt r3, r5, r12, r3\n",
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

impl Spread for Dsp {
    #[inline(always)]
    fn spread(values: u32) -> [u32; 2] {
        [even(values), odd(values)]
    }

    #[inline(always)]
    unsafe fn multiply_add(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: the caller's promise.
        let (x0, x1, w0, w1) = unsafe { (*x, *x.add(1), *w, *w.add(1)) };
        [
            instruction!("smlabb {}, {}, {}, {}", x0, w0, acc[0]) as i32,
            instruction!("smlabb {}, {}, {}, {}", x1, w1, acc[1]) as i32,
            instruction!("smlatt {}, {}, {}, {}", x0, w0, acc[2]) as i32,
            instruction!("smlatt {}, {}, {}, {}", x1, w1, acc[3]) as i32,
        ]
    }

    #[inline(never)]
    unsafe fn line3x3(line: &Line) {
        // SAFETY: what `Line` promises; the offsets are those of its fields. r6 and r7 are saved.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "mov r7, r0",
                "ldrd r8, r9, [r7, #48]",
                "ldrd r10, r6, [r7, #56]",
                "2:",
                "ldm r7, {{r0, r1, r2, r3}}",
                "ldr lr, [r7, #32]",
                taps!("r8", "0"), taps!("r8", "8"), taps!("r8", "16"),
                taps!("r9", "0"), taps!("r9", "8"), taps!("r9", "16"),
                taps!("r10", "0"), taps!("r10", "8"), taps!("r10", "16"),
                "add r8, #8",
                "add r9, #8",
                "add r10, #8",
                "ldrd r4, r5, [r7, #16]",
                "ldrd r11, r12, [r7, #24]",
                "ldr lr, [r7, #44]",
                "smlawb r0, r0, r4, r11",
                "smlawt r1, r1, r4, r11",
                "smlawb r2, r2, r5, r11",
                "smlawt r3, r3, r5, r11",
                "asr r0, r12",
                "asr r1, r12",
                "asr r2, r12",
                "asr r3, r12",
                "ssat r0, #8, r0",
                "ssat r1, #8, r1",
                "ssat r2, #8, r2",
                "ssat r3, #8, r3",
                "ldrd r4, r5, [r7, #36]",
                "cmp lr, #0",
                "beq 3f",
                "ldrsb r0, [lr, r0]",
                "ldrsb r1, [lr, r1]",
                "ldrsb r2, [lr, r2]",
                "ldrsb r3, [lr, r3]",
                "3:",
                "strb r1, [r6, #1]",
                "strb r2, [r6, #2]",
                "strb r3, [r6, #3]",
                "strb r0, [r6]",
                "add r6, r5",
                "cmp r8, r4",
                "bne 2b",
                "pop {{r6, r7}}",
                inout("r0") line => _,
                out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
                out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            );
        }
    }
}

impl Requantize for Dsp {
    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        instruction!("smlawb {}, {}, {}, {}", acc, multiplier as i32, offset) as i32
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        instruction!("ssat {}, #8, {}", q) as i32
    }
}
