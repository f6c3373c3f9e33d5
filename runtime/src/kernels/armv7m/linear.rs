//! Linear layers: several outputs share each input.

use core::arch::asm;

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
/// See [`Rows`](crate::kernels::shared::rows::Rows).
pub unsafe fn add_rows(acc: &mut [i32; 4], input: *const i8, row: *const i8, step: usize, inputs: usize) {
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
