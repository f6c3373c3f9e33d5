//! Depthwise convolution.

use super::instructions::{even, instruction, odd, Dsp};
use crate::kernels::shared::ring::{Line, Spread};
use core::arch::asm;

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
