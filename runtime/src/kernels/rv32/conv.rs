//! Dense convolution.
//!
//! The register tile of a dense convolution, four pixels by four output channels; bytes, sign-extended as
//! they are loaded:
//!
//! ```text
//!              w of channel   0  1  2  3       lb ×4
//!   x of pixel 0              ·  ·  ·  ·       lb, then mul, add ×4
//!   x of pixel 1              ·  ·  ·  ·
//!   x of pixel 2              ·  ·  ·  ·
//!   x of pixel 3              ·  ·  ·  ·       16 accumulators
//! ```
//!
//! 40 instructions for 16 products, and 6 a turn of four taps for the pointers and the loop.

use super::instructions::Rv32;
use crate::kernels::shared::tiles::Isa;
use core::arch::naked_asm;

/// One tap of the tile: four inputs, then a weight for each channel.
macro_rules! tap {
    ($w:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!(
            "lb t0, ",
            $x0,
            "(a2)\n lb t1, ",
            $x1,
            "(a2)\n lb t2, ",
            $x2,
            "(a2)\n lb a4, ",
            $x3,
            "(a2)\n",
            channel!($w, "a0", "t3", "t4", "t5", "t6"),
            channel!($w, "a1", "s0", "s1", "s2", "s3"),
            channel!($w, "a6", "s4", "s5", "s6", "s7"),
            channel!($w, "a7", "s8", "s9", "s10", "s11"),
        )
    };
}
macro_rules! channel {
    ($at:literal, $row:literal, $a:literal, $b:literal, $c:literal, $d:literal) => {
        concat!(
            "lb a5, ",
            $at,
            "(",
            $row,
            ")\n",
            "mul ra, t0, a5\n add ",
            $a,
            ", ",
            $a,
            ", ra\n mul ra, t1, a5\n add ",
            $b,
            ", ",
            $b,
            ", ra\n",
            "mul ra, t2, a5\n add ",
            $c,
            ", ",
            $c,
            ", ra\n mul ra, a4, a5\n add ",
            $d,
            ", ",
            $d,
            ", ra\n",
        )
    };
}

/// Adds the products of four rows, `stride` bytes apart, with four interleaved patches, up to `end`, to `acc`.
///
/// a0, a1, a6, a7 rows; a2 patches; a3 their end; t0, t1, t2, a4 inputs; a5 weight; ra product;
/// t3 to t6 and s0 to s11 accumulators.
#[unsafe(naked)]
unsafe extern "C" fn tile(
    rows: *const u32,
    stride: usize,
    patch: *const u32,
    end: *const u32,
    acc: *mut [[i32; 4]; 4],
) {
    naked_asm!(
        ".option push\n .option arch, +m",
        "addi sp, sp, -64",
        "sw ra, 0(sp)\n sw s0, 4(sp)\n sw s1, 8(sp)\n sw s2, 12(sp)\n sw s3, 16(sp)\n sw s4, 20(sp)\n sw s5, 24(sp)",
        "sw s6, 28(sp)\n sw s7, 32(sp)\n sw s8, 36(sp)\n sw s9, 40(sp)\n sw s10, 44(sp)\n sw s11, 48(sp)\n sw a4, 52(sp)",
        "lw t3, 0(a4)\n lw s0, 16(a4)\n lw s4, 32(a4)\n lw s8, 48(a4)",
        "mv t4, t3\n mv t5, t3\n mv t6, t3\n mv s1, s0\n mv s2, s0\n mv s3, s0",
        "mv s5, s4\n mv s6, s4\n mv s7, s4\n mv s9, s8\n mv s10, s8\n mv s11, s8",
        "slli a6, a1, 1\n add a7, a6, a1\n add a1, a1, a0\n add a6, a6, a0\n add a7, a7, a0",
        "2:",
        tap!("0", "0", "4", "8", "12"),
        tap!("1", "1", "5", "9", "13"),
        tap!("2", "2", "6", "10", "14"),
        tap!("3", "3", "7", "11", "15"),
        "addi a0, a0, 4\n addi a1, a1, 4\n addi a6, a6, 4\n addi a7, a7, 4\n addi a2, a2, 16",
        "bne a2, a3, 2b",
        "lw a4, 52(sp)",
        "sw t3, 0(a4)\n sw t4, 4(a4)\n sw t5, 8(a4)\n sw t6, 12(a4)",
        "sw s0, 16(a4)\n sw s1, 20(a4)\n sw s2, 24(a4)\n sw s3, 28(a4)",
        "sw s4, 32(a4)\n sw s5, 36(a4)\n sw s6, 40(a4)\n sw s7, 44(a4)",
        "sw s8, 48(a4)\n sw s9, 52(a4)\n sw s10, 56(a4)\n sw s11, 60(a4)",
        "lw ra, 0(sp)\n lw s0, 4(sp)\n lw s1, 8(sp)\n lw s2, 12(sp)\n lw s3, 16(sp)\n lw s4, 20(sp)\n lw s5, 24(sp)",
        "lw s6, 28(sp)\n lw s7, 32(sp)\n lw s8, 36(sp)\n lw s9, 40(sp)\n lw s10, 44(sp)\n lw s11, 48(sp)",
        "addi sp, sp, 64",
        "ret",
        ".option pop",
    )
}

impl Isa for Rv32 {
    type Block = u32;

    #[inline(always)]
    fn widen(values: u32) -> u32 {
        values
    }

    /// Bytes take half the room of widened taps, so that four patches always fit.
    fn pixels(_taps: usize) -> usize {
        4
    }

    const FOUR_CHANNELS: bool = true;

    unsafe fn dot4(row: *const u32, patch: *const u32, blocks: usize, bias: i32) -> [i32; 4] {
        let mut acc = [[bias; 4]; 4];
        // SAFETY: the four rows of the tile are all `row`.
        unsafe { tile(row, 0, patch, patch.add(4 * blocks), &mut acc) };
        acc[0]
    }

    unsafe fn dot2(_row: *const u32, _patch: *const u32, _blocks: usize, bias: i32) -> [i32; 2] {
        [bias; 2]
    }

    #[inline(always)]
    unsafe fn dot4x4(rows: *const u32, patch: *const u32, blocks: usize, bias: *const i32) -> [[i32; 4]; 4] {
        let mut acc = [[0; 4]; 4];
        // SAFETY: four rows of `blocks` words follow one another; `bias` has four values.
        unsafe {
            for (c, acc) in acc.iter_mut().enumerate() {
                acc[0] = *bias.add(c);
            }
            tile(rows, 4 * blocks, patch, patch.add(4 * blocks), &mut acc);
        }
        acc
    }
}
