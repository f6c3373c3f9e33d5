//! Dense convolution and linear layers.
//!
//! A dense convolution copies the patches of four output pixels to scratch as bytes. The register tile, four
//! pixels by one output channel, sixteen taps a turn of a tail-predicated loop:
//!
//! ```text
//!              weights w15 … w0      vldrb → q0
//!   pixel 0    x15 … x0              vldrb → q1, vmladava.s8 → r0
//!   pixel 1    x15 … x0              vldrb → q1, vmladava.s8 → r2
//!   pixel 2    x15 … x0              vldrb → q1, vmladava.s8 → r4
//!   pixel 3    x15 … x0              vldrb → q1, vmladava.s8 → r6
//! ```
//!
//! 10 instructions for 64 products. The four sums are requantized as one vector and scattered to their
//! pixels.

use super::instructions::Helium;
use crate::kernels::shared::bytes::{Bytes, Tile};
use core::arch::asm;

impl Bytes for Helium {
    const RESIDUAL: bool = false;

    #[inline(always)]
    unsafe fn copy(from: *const i8, to: *mut i8, len: usize) {
        // SAFETY: the caller's promise; `wlstp` skips the loop when `len` is 0.
        unsafe {
            asm!(
                "wlstp.8 lr, {n}, 3f",
                "2:",
                "vldrb.u8 q0, [{from}], #16",
                "vstrb.8 q0, [{to}], #16",
                "letp lr, 2b",
                "3:",
                n = in(reg) len, from = inout(reg) from => _, to = inout(reg) to => _,
                out("lr") _, out("d0") _, out("d1") _,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    unsafe fn fill(value: i8, to: *mut i8, len: usize) {
        // SAFETY: the caller's promise; `wlstp` skips the loop when `len` is 0.
        unsafe {
            asm!(
                "vdup.8 q0, {value}",
                "wlstp.8 lr, {n}, 3f",
                "2:",
                "vstrb.8 q0, [{to}], #16",
                "letp lr, 2b",
                "3:",
                n = in(reg) len, value = in(reg) value as i32, to = inout(reg) to => _,
                out("lr") _, out("d0") _, out("d1") _,
                options(nostack),
            );
        }
    }

    #[inline(always)]
    unsafe fn dot4(mut acc: [i32; 4], row: *const i8, others: [*const i8; 4], taps: usize) -> [i32; 4] {
        // SAFETY: the caller's promise; the loop's tail predicate keeps reads within `taps` bytes.
        unsafe {
            asm!(
                "dlstp.8 lr, r12",
                "2:",
                "vldrb.u8 q0, [r1], #16",
                "vldrb.u8 q1, [r3], #16",
                "vmladava.s8 r0, q0, q1",
                "vldrb.u8 q1, [r5], #16",
                "vmladava.s8 r2, q0, q1",
                "vldrb.u8 q1, [r9], #16",
                "vmladava.s8 r4, q0, q1",
                "vldrb.u8 q1, [r11], #16",
                "vmladava.s8 r8, q0, q1",
                "letp lr, 2b",
                inout("r0") acc[0], inout("r2") acc[1], inout("r4") acc[2], inout("r8") acc[3],
                inout("r1") row => _, inout("r3") others[0] => _, inout("r5") others[1] => _,
                inout("r9") others[2] => _, inout("r11") others[3] => _, in("r12") taps, out("lr") _,
                out("d0") _, out("d1") _, out("d2") _, out("d3") _,
                options(readonly, nostack),
            );
        }
        acc
    }

    #[inline(never)]
    unsafe fn channels(tile: &Tile) {
        // SAFETY: the caller's promise; the offsets are those of the fields of `Tile`. r6 and r7 are saved, q0 to q3 belong
        // to the callee by the calling convention.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "mov r5, r0",
                "ldr r8, [r5, #20]",
                "ldr r10, [r5, #24]",
                "ldr r12, [r5, #32]",
                // q3: where the four pixels' outputs are.
                "ldr r1, [r5, #52]",
                "ldr r2, [r5, #36]",
                "add r3, r2, r1",
                "vmov d6, r2, r3",
                "add r3, r3, r1",
                "add r2, r3, r1",
                "vmov d7, r3, r2",
                "2:",
                "ldr r0, [r10], #4",
                "mov r2, r0",
                "mov r4, r0",
                "mov r6, r0",
                "ldm r5, {{r3, r7, r9, r11}}",
                "mov r1, r8",
                "ldr lr, [r5, #16]",
                "add r8, r8, lr",
                "dlstp.8 lr, lr",
                "3:",
                "vldrb.u8 q0, [r1], #16",
                "vldrb.u8 q1, [r3], #16",
                "vmladava.s8 r0, q0, q1",
                "vldrb.u8 q1, [r7], #16",
                "vmladava.s8 r2, q0, q1",
                "vldrb.u8 q1, [r9], #16",
                "vmladava.s8 r4, q0, q1",
                "vldrb.u8 q1, [r11], #16",
                "vmladava.s8 r6, q0, q1",
                "letp lr, 3b",
                "vmov d0, r0, r2",
                "vmov d1, r4, r6",
                // ⌊acc·m / 2^16⌋ as the upper half of 2·acc·(m·2^15).
                "ldrsh r0, [r12], #2",
                "lsl r0, r0, #15",
                "vqdmulh.s32 q0, q0, r0",
                "ldrd r0, r1, [r5, #40]",
                "vadd.i32 q0, q0, r0",
                "vshl.s32 q0, r1",
                "vqmovnb.s32 q0, q0",
                "vqmovnb.s16 q0, q0",
                "ldrd r0, r1, [r5, #28]",
                "ldr r1, [r5, #48]",
                "cbz r1, 4f",
                "vmovlb.s8 q0, q0",
                "vmovlb.s16 q1, q0",
                "vldrb.u32 q0, [r1, q1]",
                "4:",
                "movs r1, #0",
                "vstrb.32 q0, [r1, q3]",
                "movs r1, #1",
                "vadd.i32 q3, q3, r1",
                "cmp r10, r0",
                "bne 2b",
                "pop {{r6, r7}}",
                inout("r0") tile => _,
                out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
                out("r10") _, out("r11") _, out("r12") _, out("lr") _,
                out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d6") _, out("d7") _,
            );
        }
    }
}
