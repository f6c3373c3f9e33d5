//! From four accumulators of one output channel to four stored outputs, as a piece of assembly that the convolutions
//! share.

use core::arch::naked_asm;

/// Requantizes a0 to a3, biases included, for the outputs that the [`Finish`](crate::kernels::shared::finish::Finish) at
/// a4 says, and moves it on by one channel. Of residuals only those of outputs that are stored are read. Overwrites a0 to
/// a3, a5 to a7 and t0 to t4.
///
/// 50 instructions for four outputs, 4 more with a table, 32 more with a residual.
///
/// # Safety
/// For assembly alone, with a `Finish` at a4 whose outputs are whole.
#[unsafe(naked)]
pub unsafe extern "C" fn finish() {
    naked_asm!(
        ".option push\n .option arch, +m",
        "lw a5, 0(a4)\n lh a6, 0(a5)\n addi a5, a5, 2\n sw a5, 0(a4)\n slli a6, a6, 16",
        "lw a7, 12(a4)\n lw t0, 24(a4)",
        "mulh a0, a0, a6\n mulh a1, a1, a6\n mulh a2, a2, a6\n mulh a3, a3, a6",
        "add a0, a0, a7\n add a1, a1, a7\n add a2, a2, a7\n add a3, a3, a7",
        "bnez t0, 20f",
        "1:",
        "lw a5, 16(a4)\n lw a6, 20(a4)\n lw a7, 44(a4)\n lw t0, 4(a4)\n lw t1, 8(a4)",
        "sra a0, a0, a5\n sra a1, a1, a5\n sra a2, a2, a5\n sra a3, a3, a5",
        "li t2, 1\n beq a6, t2, 30f",
        "li t3, 127\n li t4, -128",
        "blt t3, a0, 10f\n blt a0, t4, 11f",
        "2: blt t3, a1, 12f\n blt a1, t4, 13f",
        "3: blt t3, a2, 14f\n blt a2, t4, 15f",
        "4: blt t3, a3, 16f\n blt a3, t4, 17f",
        "5:",
        "beqz a6, 6f",
        "add a0, a6, a0\n add a1, a6, a1\n add a2, a6, a2\n add a3, a6, a3",
        "lb a0, 0(a0)\n lb a1, 0(a1)\n lb a2, 0(a2)\n lb a3, 0(a3)",
        "6:",
        "li t2, 4\n sb a0, 0(t0)\n bne a7, t2, 40f",
        "add t2, t0, t1\n sb a1, 0(t2)\n add t2, t2, t1\n sb a2, 0(t2)\n add t2, t2, t1\n sb a3, 0(t2)",
        "7:",
        "addi t0, t0, 1\n sw t0, 4(a4)\n ret",
        // Beyond the i8 range.
        "10: mv a0, t3\n j 2b",
        "11: mv a0, t4\n j 2b",
        "12: mv a1, t3\n j 3b",
        "13: mv a1, t4\n j 3b",
        "14: mv a2, t3\n j 4b",
        "15: mv a2, t4\n j 4b",
        "16: mv a3, t3\n j 5b",
        "17: mv a3, t4\n j 5b",
        // The residual at t0.
        "20:",
        "lw a5, 36(a4)\n lw a6, 40(a4)\n lw a7, 44(a4)\n lw t1, 8(a4)\n li t3, 2",
        "lb t2, 0(t0)\n mul t2, t2, a5\n sra t2, t2, a6\n add a0, a0, t2",
        "blt a7, t3, 21f",
        "add t4, t0, t1\n lb t2, 0(t4)\n mul t2, t2, a5\n sra t2, t2, a6\n add a1, a1, t2",
        "beq a7, t3, 21f",
        "add t4, t4, t1\n lb t2, 0(t4)\n mul t2, t2, a5\n sra t2, t2, a6\n add a2, a2, t2",
        "addi t3, t3, 1\n beq a7, t3, 21f",
        "add t4, t4, t1\n lb t2, 0(t4)\n mul t2, t2, a5\n sra t2, t2, a6\n add a3, a3, t2",
        "21:",
        "addi t0, t0, 1\n sw t0, 24(a4)\n j 1b",
        // Outputs of i16, one after the other.
        "30:",
        "lui t3, 8\n addi t3, t3, -1\n lui t4, 0xFFFF8",
        "31:",
        "bge t3, a0, 32f\n mv a0, t3",
        "32: bge a0, t4, 33f\n mv a0, t4",
        "33: sh a0, 0(t0)\n addi a7, a7, -1\n mv a0, a1\n mv a1, a2\n mv a2, a3\n add t0, t0, t1\n bnez a7, 31b",
        "lw t0, 4(a4)\n addi t0, t0, 2\n sw t0, 4(a4)\n ret",
        // Fewer than four outputs.
        "40:",
        "li t2, 2\n blt a7, t2, 7b",
        "add t3, t0, t1\n sb a1, 0(t3)\n beq a7, t2, 7b\n add t3, t3, t1\n sb a2, 0(t3)\n j 7b",
        ".option pop",
    )
}
