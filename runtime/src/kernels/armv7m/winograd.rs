//! Winograd's products; the transforms are plain.

use super::instructions::Armv7m;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::winograd::{Lane, Place, Transforms};
use crate::kernels::shared::winograd_scalar as scalar;
use core::arch::asm;

/// One channel: four lanes by two output channels, 14 instructions for 8 products.
macro_rules! channel {
    ($w0:literal, $w1:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!(
            "ldrsh r11, [r9, ",
            $w1,
            "]\n ldrsh r10, [r9",
            $w0,
            "\n",
            lane!(", ", $x3, "]", "r3", "r7"),
            lane!(", ", $x2, "]", "r2", "r6"),
            lane!(", ", $x1, "]", "r1", "r5"),
            lane!("", $x0, "", "r0", "r4"),
        )
    };
}
macro_rules! lane {
    ($before:literal, $x:literal, $behind:literal, $a:literal, $b:literal) => {
        concat!(
            "ldrsh r12, [r8",
            $before,
            $x,
            $behind,
            "\n mla ",
            $a,
            ", r12, r10, ",
            $a,
            "\n mla ",
            $b,
            ", r12, r11, ",
            $b,
            "\n"
        )
    };
}

impl Transforms for Armv7m {
    type Job = ();

    unsafe fn job(_: &Conv, _: &mut Output) {}

    /// Four channels a turn, 58 instructions for 32 products; the first channel comes last and moves the pointers on.
    #[inline(never)]
    unsafe fn dot(sums: &mut [i32; 8], inputs: *const u32, weights: *const u32, words: usize) {
        // SAFETY: the caller's promise. r6 and r7, which cannot be operands, are saved; the sums' address is, too.
        unsafe {
            asm!(
                "push {{r0, r6, r7}}",
                "ldm r0, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
                "2:",
                channel!(", #2]", "#6", ", #2]", "#6", "#10", "#14"),
                channel!(", #8]", "#12", ", #16]", "#20", "#24", "#28"),
                channel!(", #10]", "#14", ", #18]", "#22", "#26", "#30"),
                channel!("], #16", "#4", "], #32", "#4", "#8", "#12"),
                "cmp r9, lr",
                "bne 2b",
                "pop {{r8}}",
                "stm r8, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
                "pop {{r6, r7}}",
                inout("r0") sums => _, inout("r8") inputs => _, inout("r9") weights => _,
                in("lr") weights.add(2 * words),
                out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r10") _, out("r11") _,
                out("r12") _,
            );
        }
    }

    unsafe fn outputs(_: &mut (), at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
        // SAFETY: the caller's promise.
        unsafe { scalar::outputs::<Self>(at, out, sums, lanes) }
    }
}
