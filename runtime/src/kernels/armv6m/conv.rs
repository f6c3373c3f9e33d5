//! Dense convolution.
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

use super::instructions::Armv6m;
use crate::kernels::shared::packing;
use crate::kernels::shared::tiles::Isa;
use core::arch::naked_asm;

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
