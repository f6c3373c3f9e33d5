//! From four accumulators of one output channel to four stored outputs, as a piece of assembly that the convolutions
//! share.

use core::arch::naked_asm;

/// Requantizes r0 to r3, biases included, for the outputs that the [`Finish`](crate::kernels::shared::finish::Finish) at
/// r7 says, and moves it on by one channel. Of residuals only those of outputs that are stored are read. Overwrites r4 to
/// r6, r8 to r11 and lr, which assembly that calls it by `bl` has to say.
///
/// 31 instructions for four outputs, 4 more with a table, 33 more with a residual.
///
/// # Safety
/// For assembly alone, with a [`Finish`](crate::kernels::shared::finish::Finish) at r7 whose outputs are whole.
#[unsafe(naked)]
pub unsafe extern "C" fn finish() {
    naked_asm!(
        "ldm r7, {{r4, r5, r6, r8, r9}}",
        "ldrsh r10, [r4], #2",
        // smlawb of r0 to r3: rN, rN, r10, r8. Encoded, since for M33 the extension is a feature of the processor, which
        // naked functions are not assembled for.
        ".inst.w 0xfb30800a, 0xfb31810a, 0xfb32820a, 0xfb33830a",
        "ldrd r10, r11, [r7, #20]",
        "ldr r8, [r7, #44]",
        "cmp r11, #0",
        "bne 2f",
        "1:",
        "asr r0, r0, r9\n asr r1, r1, r9\n asr r2, r2, r9\n asr r3, r3, r9",
        "cmp r10, #1",
        "beq 5f",
        "ssat r0, #8, r0\n ssat r1, #8, r1\n ssat r2, #8, r2\n ssat r3, #8, r3",
        "blo 4f",
        "ldrsb r0, [r10, r0]\n ldrsb r1, [r10, r1]\n ldrsb r2, [r10, r2]\n ldrsb r3, [r10, r3]",
        "4:",
        "cmp r8, #4",
        "strb r0, [r5]",
        "bne 6f",
        "strb r1, [r5, r6]\n strb r2, [r5, r6, lsl #1]\n add r6, r6, r6, lsl #1\n strb r3, [r5, r6]",
        "7:",
        "add r5, r5, #1",
        "strd r4, r5, [r7]",
        "bx lr",
        // The residual: r6 and lr from the first output to the second and the third.
        "2:",
        "push {{r4, r6, r9, r10, lr}}",
        "ldrd r9, r10, [r7, #36]",
        "lsl lr, r6, #1",
        "cmp r8, #2\n it lo\n movlo r6, #0\n it ls\n movls lr, #0",
        "ldrsb r4, [r11]\n mul r4, r4, r9\n asr r4, r4, r10\n add r0, r0, r4",
        "ldrsb r4, [r11, r6]\n mul r4, r4, r9\n asr r4, r4, r10\n add r1, r1, r4",
        "ldrsb r4, [r11, lr]\n mul r4, r4, r9\n asr r4, r4, r10\n add r2, r2, r4",
        "cmp r8, #3\n it eq\n moveq r6, #0\n add r6, r6, lr",
        "ldrsb r4, [r11, r6]\n mul r4, r4, r9\n asr r4, r4, r10\n add r3, r3, r4",
        "add r11, r11, #1\n str r11, [r7, #24]",
        "pop {{r4, r6, r9, r10, lr}}",
        "b 1b",
        // Fewer than four outputs.
        "6:",
        "cmp r8, #2\n blo 7b\n strb r1, [r5, r6]\n beq 7b\n strb r2, [r5, r6, lsl #1]\n b 7b",
        // Outputs of i16.
        "5:",
        "ssat r0, #16, r0\n ssat r1, #16, r1\n ssat r2, #16, r2\n ssat r3, #16, r3",
        "strh r0, [r5]\n cmp r8, #2\n blo 8f\n strh r1, [r5, r6]\n beq 8f\n strh r2, [r5, r6, lsl #1]",
        "cmp r8, #4\n bne 8f\n add r6, r6, r6, lsl #1\n strh r3, [r5, r6]",
        "8:",
        "add r5, r5, #1",
        "b 7b",
    )
}
