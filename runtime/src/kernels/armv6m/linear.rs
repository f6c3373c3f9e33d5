//! Linear layers: several outputs share each input.

use core::arch::naked_asm;

/// See [`Rows`](crate::kernels::shared::rows::Rows): two outputs share each input.
pub unsafe fn add_rows(acc: &mut [i32; 2], input: *const i8, row: *const i8, step: usize, inputs: usize) {
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
