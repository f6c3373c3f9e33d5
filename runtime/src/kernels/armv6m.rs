//! Cortex-M0 and M0+: no multiply-accumulate, no long multiply, sixteen-bit instructions on eight registers.
//! Two products share a multiplication.
//!
//! Two taps lie in one word, in opposite order for activations and weights:
//!
//! ```text
//!    x0·2^16 + x2        times        w2·2^16 + w0
//!  = (x0·w0 + x2·w2)·2^16  +  x2·w0        (mod 2^32)
//! ```
//!
//! |x2·w0| < 2^15 and |x0·w0 + x2·w2| < 2^15, because |w| ≤ 127 and |x| ≤ 128. So the upper half, rounded
//! by the bit below it, is the sum of both products exactly; `asrs` puts that bit into the carry, and
//! `adcs` adds both.
//!
//! The register tile of a dense convolution, four pixels by one output channel:
//!
//! ```text
//!                     weights  w3 w2 w1 w0     twelve instructions to form the pairs
//!                              w2│w0 (r4)  w3│w1 (r5)
//!   patches (r6)                 │           │
//!   pixel 0   x0│x2   x1│x3    ldm muls asrs adcs ×2   → r0
//!   pixel 1   x0│x2   x1│x3    ldm muls asrs adcs ×2   → r1
//!   pixel 2   x0│x2   x1│x3    ldm muls asrs adcs ×2   → r2
//!   pixel 3   x0│x2   x1│x3    ldm muls asrs adcs ×2   → r3
//!
//!   r7 patches   r8 weights   r9 0x80808080   r10 0x00FF00FF   r11 0x00800080   r12 end of the patches
//! ```
//!
//! 44 instructions for 16 products, 45 with the loop.

use super::epilogue::Requantize;
use super::ring::{self, Spread};
use super::tiled::{self, Isa};
use super::{packing, portable, rows, Conv, Depthwise, Linear, Output};
use core::arch::naked_asm;

pub use super::portable::{add, lut};

/// Like [`portable::conv`].
#[inline(never)]
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    if !tiled::conv::<Armv6m>(conv, &mut out, scratch) {
        portable::conv(conv, out, scratch);
    }
}

/// Like [`portable::depthwise`].
#[inline(never)]
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    if !ring::depthwise::<Armv6m>(conv, out, scratch) {
        portable::depthwise(conv, out, scratch);
    }
}

/// Like [`portable::linear`].
pub fn linear(linear: &Linear, mut out: Output) {
    if !rows::linear::<Armv6m, 2>(linear, &mut out, add_rows) {
        portable::linear(linear, out);
    }
}

/// See [`rows::Rows`]: two outputs share each input.
unsafe fn add_rows(acc: &mut [i32; 2], input: *const i8, row: *const i8, step: usize, inputs: usize) {
    // SAFETY: the caller's promise; both ends are `inputs` after their starts.
    unsafe { add_two(acc, input.add(inputs), row.add(inputs), step, inputs) };
}

/// Counts r7 from −inputs to 0, with r2, r3 and r4 at the ends of the inputs and of the two rows.
#[unsafe(naked)]
unsafe extern "C" fn add_two(acc: *mut [i32; 2], input: *const i8, row: *const i8, step: usize, inputs: usize) {
    naked_asm!(
        "push {{r0, r4, r5, r6, r7, lr}}",
        "ldr r7, [sp, #24]",
        "rsbs r7, r7, #0",
        "adds r4, r2, r3",
        "mov r3, r2",
        "mov r2, r1",
        "ldm r0!, {{r5, r6}}",
        "mov r0, r5",
        "mov r1, r6",
        "2:",
        "ldrsb r5, [r2, r7]",
        "ldrsb r6, [r3, r7]",
        "muls r6, r5, r6",
        "adds r0, r0, r6",
        "ldrsb r6, [r4, r7]",
        "muls r6, r5, r6",
        "adds r1, r1, r6",
        "adds r7, #1",
        "bne 2b",
        "pop {{r2}}",
        "str r0, [r2]",
        "str r1, [r2, #4]",
        "pop {{r4, r5, r6, r7, pc}}",
    )
}

struct Armv6m;

/// Saves the caller's registers and sets up r7 to r12; r0 weights, r1 patches, r2 their end, r3 accumulators.
macro_rules! enter {
    () => {
        concat!(
            "push {{r3, r4, r5, r6, r7, lr}}\n",
            "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n push {{r4, r5, r6, r7}}\n",
            "mov r8, r0\n mov r7, r1\n mov r12, r2\n",
            "movs r4, #0x80\n lsls r5, r4, #16\n adds r4, r4, r5\n mov r11, r4\n",
            "lsls r5, r4, #8\n orrs r5, r4\n mov r9, r5\n",
            "lsls r5, r4, #1\n subs r5, #1\n movs r4, #1\n lsls r4, #16\n subs r5, r5, r4\n mov r10, r5\n",
        )
    };
}

/// Restores the caller's registers and returns.
macro_rules! leave {
    () => {
        concat!(
            "pop {{r0, r1, r2, r3}}\n mov r8, r0\n mov r9, r1\n mov r10, r2\n mov r11, r3\n",
            "pop {{r3, r4, r5, r6, r7, pc}}\n",
        )
    };
}

/// A weight word as two pairs, r4 and r5.
macro_rules! pair_weights {
    () => {
        concat!(
            "mov r6, r8\n ldm r6!, {{r4}}\n mov r8, r6\n",
            "mov r6, r9\n eors r4, r6\n lsrs r5, r4, #8\n",
            "mov r6, r10\n ands r4, r6\n ands r5, r6\n",
            "mov r6, r11\n subs r4, r4, r6\n subs r5, r5, r6\n",
        )
    };
}

/// Four taps of one pixel.
macro_rules! pixel {
    ($acc:literal) => {
        concat!(
            "ldm r7!, {{r6}}\n muls r6, r4, r6\n asrs r6, r6, #16\n adcs ",
            $acc,
            ", r6\n",
            "ldm r7!, {{r6}}\n muls r6, r5, r6\n asrs r6, r6, #16\n adcs ",
            $acc,
            ", r6\n",
        )
    };
}

/// Adds the dot products of a row of weights with four interleaved patches, up to `end`, to `acc`.
#[unsafe(naked)]
unsafe extern "C" fn dot4(row: *const u32, patch: *const [u32; 2], end: *const [u32; 2], acc: *mut [i32; 4]) {
    naked_asm!(
        enter!(),
        "ldm r3!, {{r0, r1, r2}}",
        "ldr r3, [r3]",
        "2:",
        pair_weights!(),
        pixel!("r0"),
        pixel!("r1"),
        pixel!("r2"),
        pixel!("r3"),
        "cmp r7, r12",
        "bne 2b",
        "ldr r6, [sp, #16]",
        "stm r6!, {{r0, r1, r2, r3}}",
        leave!(),
    )
}

/// Like `dot4` with two patches.
#[unsafe(naked)]
unsafe extern "C" fn dot2(row: *const u32, patch: *const [u32; 2], end: *const [u32; 2], acc: *mut [i32; 2]) {
    naked_asm!(
        enter!(),
        "ldm r3!, {{r0, r1}}",
        "2:",
        pair_weights!(),
        pixel!("r0"),
        pixel!("r1"),
        "cmp r7, r12",
        "bne 2b",
        "ldr r6, [sp, #16]",
        "stm r6!, {{r0, r1}}",
        leave!(),
    )
}

impl Isa for Armv6m {
    type Block = [u32; 2];

    #[inline(always)]
    fn widen(values: u32) -> [u32; 2] {
        packing::pairs(values)
    }

    #[inline(always)]
    unsafe fn dot4(row: *const u32, patch: *const [u32; 2], blocks: usize, bias: i32) -> [i32; 4] {
        let mut acc = [bias; 4];
        // SAFETY: reads `blocks` words of `row` and `4·blocks` blocks of `patch`.
        unsafe { dot4(row, patch, patch.add(4 * blocks), &mut acc) };
        acc
    }

    #[inline(always)]
    unsafe fn dot2(row: *const u32, patch: *const [u32; 2], blocks: usize, bias: i32) -> [i32; 2] {
        let mut acc = [bias; 2];
        // SAFETY: reads `blocks` words of `row` and `2·blocks` blocks of `patch`.
        unsafe { dot2(row, patch, patch.add(2 * blocks), &mut acc) };
        acc
    }
}

impl Spread for Armv6m {
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
        if q as i8 as i32 == q {
            q
        } else {
            (q >> 31) ^ 127
        }
    }
}
