//! Winograd's products; the transforms are plain.

use super::instructions::Armv6m;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::winograd::{Lane, Place, Transforms};
use crate::kernels::shared::winograd_scalar as scalar;
use core::arch::naked_asm;

/// A pair of channels of one output channel and four lanes: 29 instructions for 8 products.
macro_rules! word {
    ($at:literal) => {
        concat!(
            "ldr r3, [r1, ",
            $at,
            "]\n sxth r2, r3\n asrs r3, r3, #16\n",
            "ldm r0!, {{r4, r5}}\n",
            lane!("r4", "r8"),
            lane!("r5", "r9"),
            "ldm r0!, {{r4, r5}}\n",
            lane!("r4", "r10"),
            lane!("r5", "r11"),
        )
    };
}
macro_rules! lane {
    ($x:literal, $sum:literal) => {
        concat!(
            "sxth r6, ",
            $x,
            "\n asrs ",
            $x,
            ", ",
            $x,
            ", #16\n muls r6, r2, r6\n muls ",
            $x,
            ", r3, ",
            $x,
            "\n add ",
            $sum,
            ", r6\n add ",
            $sum,
            ", ",
            $x,
            "\n",
        )
    };
}

/// Adds products up to the end of the inputs to four lanes' sums of one output channel; two words of pairs a turn, weights
/// eight bytes apart. Sums are in r8 to r11, pairs of weights in r2 and r3.
#[unsafe(naked)]
unsafe extern "C" fn dot4(inputs: *const u32, weights: *const u32, end: *const u32, sums: *mut i32) {
    naked_asm!(
        "push {{r3, r4, r5, r6, r7, lr}}",
        "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11\n push {{r4, r5, r6, r7}}",
        "mov r12, r2",
        "ldm r3!, {{r4, r5, r6, r7}}",
        "mov r8, r4\n mov r9, r5\n mov r10, r6\n mov r11, r7",
        "2:",
        word!("#0"),
        word!("#8"),
        "adds r1, #16",
        "cmp r0, r12",
        "bne 2b",
        "ldr r0, [sp, #16]",
        "mov r4, r8\n mov r5, r9\n mov r6, r10\n mov r7, r11",
        "stm r0!, {{r4, r5, r6, r7}}",
        "pop {{r0, r1, r2, r3}}\n mov r8, r0\n mov r9, r1\n mov r10, r2\n mov r11, r3",
        "pop {{r3, r4, r5, r6, r7, pc}}",
    )
}

impl Transforms for Armv6m {
    type Job = ();

    unsafe fn job(_: &Conv, _: &mut Output) {}

    unsafe fn dot(sums: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize) {
        let end = inputs.wrapping_add(4 * words);
        // SAFETY: the caller's promise; the second output channel's weights and sums lie behind the first's.
        unsafe {
            dot4(inputs, weights, end, sums.as_mut_ptr());
            dot4(inputs, weights.add(1), end, sums.as_mut_ptr().add(4));
        }
    }

    unsafe fn outputs(_: &mut (), at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
        // SAFETY: the caller's promise.
        unsafe { scalar::outputs::<Self>(at, out, sums, lanes) }
    }
}
