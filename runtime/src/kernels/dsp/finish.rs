//! From four accumulators of one output channel to four stored outputs, as a piece of assembly that the convolutions
//! share.

use core::arch::naked_asm;

/// Requantizes r0 to r3, biases included, for the outputs that the [`Finish`](crate::kernels::shared::finish::Finish) at
/// r7 says, and moves it on by one channel. Of residuals only those of outputs that are stored are read. Overwrites r4 to
/// r6, r8 to r11 and lr, which assembly that calls it by `bl` has to say.
///
/// 35 instructions for four outputs, 4 more with a table, 36 more with a residual.
///
/// # Safety
/// For assembly alone, with a [`Finish`](crate::kernels::shared::finish::Finish) at r7 whose outputs are whole.
#[unsafe(naked)]
pub unsafe extern "C" fn finish() {
    naked_asm!(
        "ldr r4, [r7, #4]",
        "ldrsh r5, [r4], #2",
        "str r4, [r7, #4]",
        "ldrd r8, r9, [r7, #16]",
        // smlawb of r0 to r3: rN, rN, r5, r8. Encoded, since for M33 the extension is a feature of the processor, which
        // naked functions are not assembled for.
        ".inst.w 0xfb308005, 0xfb318105, 0xfb328205, 0xfb338305",
        "ldrd r4, r5, [r7, #8]",
        "ldrd r6, r8, [r7, #24]",
        "ldr r10, [r7, #40]",
        "cmp r8, #0",
        "bne 2f",
        "1:",
        "asr r0, r0, r9\n asr r1, r1, r9\n asr r2, r2, r9\n asr r3, r3, r9",
        "cmp r6, #1",
        "beq 5f",
        "ssat r0, #8, r0\n ssat r1, #8, r1\n ssat r2, #8, r2\n ssat r3, #8, r3",
        "blo 4f",
        "ldrsb r0, [r6, r0]\n ldrsb r1, [r6, r1]\n ldrsb r2, [r6, r2]\n ldrsb r3, [r6, r3]",
        "4:",
        "cmp r10, #4",
        "strb r0, [r4]",
        "bne 6f",
        "strb r1, [r4, r5]\n strb r2, [r4, r5, lsl #1]\n add r6, r5, r5, lsl #1\n strb r3, [r4, r6]",
        "7:",
        "add r4, r4, #1",
        "str r4, [r7, #8]",
        "bx lr",
        // The residual: r8, and r6 and lr from the first output to the second and the third.
        "2:",
        "push {{lr}}",
        "ldrd r11, r9, [r7, #32]",
        "mov r6, r5",
        "lsl lr, r5, #1",
        "cmp r10, #2\n it lo\n movlo r6, #0\n it ls\n movls lr, #0",
        "ldrsb r4, [r8]\n mul r4, r4, r11\n asr r4, r4, r9\n add r0, r0, r4",
        "ldrsb r4, [r8, r6]\n mul r4, r4, r11\n asr r4, r4, r9\n add r1, r1, r4",
        "ldrsb r4, [r8, lr]\n mul r4, r4, r11\n asr r4, r4, r9\n add r2, r2, r4",
        "cmp r10, #3\n it eq\n moveq r6, #0\n add r6, r6, lr",
        "ldrsb r4, [r8, r6]\n mul r4, r4, r11\n asr r4, r4, r9\n add r3, r3, r4",
        "add r8, r8, #1\n str r8, [r7, #28]",
        "ldr r9, [r7, #20]\n ldr r4, [r7, #8]\n ldr r6, [r7, #24]",
        "pop {{lr}}",
        "b 1b",
        // Fewer than four outputs.
        "6:",
        "cmp r10, #2\n blo 7b\n strb r1, [r4, r5]\n beq 7b\n strb r2, [r4, r5, lsl #1]\n b 7b",
        // Outputs of i16.
        "5:",
        "ssat r0, #16, r0\n ssat r1, #16, r1\n ssat r2, #16, r2\n ssat r3, #16, r3",
        "strh r0, [r4]\n cmp r10, #2\n blo 8f\n strh r1, [r4, r5]\n beq 8f\n strh r2, [r4, r5, lsl #1]",
        "cmp r10, #4\n bne 8f\n add r6, r5, r5, lsl #1\n strh r3, [r4, r6]",
        "8:",
        "add r4, r4, #2",
        "str r4, [r7, #8]",
        "bx lr",
    )
}
