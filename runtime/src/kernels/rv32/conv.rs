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
//! 40 instructions for 16 products, and 6 a turn of eight taps for the pointers and the loop. Channels beyond the last
//! four go one by one, 13 instructions for 4 products.

use super::finish::finish;
use super::instructions::Rv32;
use super::linear::add_rows;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::finish::Finish;
use crate::kernels::shared::store::store;
use crate::kernels::shared::tiles::Isa;
use core::arch::naked_asm;

/// One tap of the tile: four inputs, then a weight for each channel.
macro_rules! tap {
    ($w:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!(
            inputs!($x0, $x1, $x2, $x3),
            channel!($w, "a0", "t3", "t4", "t5", "t6"),
            channel!($w, "a1", "s0", "s1", "s2", "s3"),
            channel!($w, "a6", "s4", "s5", "s6", "s7"),
            channel!($w, "a7", "s8", "s9", "s10", "s11"),
        )
    };
}
macro_rules! inputs {
    ($x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!("lb t0, ", $x0, "(a2)\n lb t1, ", $x1, "(a2)\n lb t2, ", $x2, "(a2)\n lb a4, ", $x3, "(a2)\n")
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
/// One tap of one channel.
macro_rules! single {
    ($w:literal, $x0:literal, $x1:literal, $x2:literal, $x3:literal) => {
        concat!(inputs!($x0, $x1, $x2, $x3), channel!($w, "a0", "t3", "t4", "t5", "t6"))
    };
}

/// Where the dot products of a tile find what they need.
#[repr(C)]
struct Tile {
    finish: Finish,
    /// Where the biases end.
    end: *const i32,
    /// Bytes of a row of weights.
    row_len: usize,
    /// Four interleaved patches, and their end.
    patch: [*const u32; 2],
}

/// Every output channel of a tile, of which there is one at least.
///
/// a0, a1, a6, a7 rows; a2 patches; a3 their end; t0, t1, t2, a4 inputs; a5 weight; ra product; t3 to t6 and s0 to s11
/// accumulators. On the stack: 16 sums, the caller's registers, the tile, the next row.
///
/// # Safety
/// `rows` has as many rows of weights as there are biases; the tile's patches and outputs are whole.
#[unsafe(naked)]
unsafe extern "C" fn tile(tile: *mut Tile, rows: *const u32) {
    naked_asm!(
        ".option push\n .option arch, +m",
        "addi sp, sp, -128",
        "sw ra, 64(sp)\n sw s0, 68(sp)\n sw s1, 72(sp)\n sw s2, 76(sp)\n sw s3, 80(sp)\n sw s4, 84(sp)\n sw s5, 88(sp)",
        "sw s6, 92(sp)\n sw s7, 96(sp)\n sw s8, 100(sp)\n sw s9, 104(sp)\n sw s10, 108(sp)\n sw s11, 112(sp)",
        "sw a0, 116(sp)\n mv t0, a0\n mv a0, a1",
        // Four channels, or one, from the row at a0 on, with the tile at t0.
        "20:",
        "lw t1, 0(t0)\n lw t2, 44(t0)\n lw a1, 48(t0)\n lw a2, 52(t0)\n lw a3, 56(t0)",
        "sub t2, t2, t1\n li a5, 16",
        "sub a4, a3, a2\n andi a4, a4, 16",
        "lw t3, 0(t1)",
        "mv t4, t3\n mv t5, t3\n mv t6, t3",
        "blt t2, a5, 10f",
        "lw s0, 4(t1)\n lw s4, 8(t1)\n lw s8, 12(t1)\n addi t1, t1, 16\n sw t1, 0(t0)",
        "mv s1, s0\n mv s2, s0\n mv s3, s0",
        "mv s5, s4\n mv s6, s4\n mv s7, s4\n mv s9, s8\n mv s10, s8\n mv s11, s8",
        "slli a6, a1, 1\n add a7, a6, a1\n add a1, a1, a0\n add a6, a6, a0\n add a7, a7, a0",
        "beqz a4, 2f",
        // An odd word of weights enters in the middle.
        "addi a0, a0, -4\n addi a1, a1, -4\n addi a6, a6, -4\n addi a7, a7, -4\n addi a2, a2, -16\n j 3f",
        "2:",
        tap!("0", "0", "4", "8", "12"),
        tap!("1", "1", "5", "9", "13"),
        tap!("2", "2", "6", "10", "14"),
        tap!("3", "3", "7", "11", "15"),
        "3:",
        tap!("4", "16", "20", "24", "28"),
        tap!("5", "17", "21", "25", "29"),
        tap!("6", "18", "22", "26", "30"),
        tap!("7", "19", "23", "27", "31"),
        "addi a0, a0, 8\n addi a1, a1, 8\n addi a6, a6, 8\n addi a7, a7, 8\n addi a2, a2, 32",
        "bne a2, a3, 2b",
        "sw a7, 120(sp)",
        "sw t3, 0(sp)\n sw t4, 4(sp)\n sw t5, 8(sp)\n sw t6, 12(sp)",
        "sw s0, 16(sp)\n sw s1, 20(sp)\n sw s2, 24(sp)\n sw s3, 28(sp)",
        "sw s4, 32(sp)\n sw s5, 36(sp)\n sw s6, 40(sp)\n sw s7, 44(sp)",
        "sw s8, 48(sp)\n sw s9, 52(sp)\n sw s10, 56(sp)\n sw s11, 60(sp)",
        "addi s1, sp, 64",
        "5:",
        "lw a4, 116(sp)\n mv s0, sp",
        "6:",
        "lw a0, 0(s0)\n lw a1, 4(s0)\n lw a2, 8(s0)\n lw a3, 12(s0)\n addi s0, s0, 16",
        "call {finish}",
        "bne s0, s1, 6b",
        "mv t0, a4\n lw a0, 120(sp)",
        "lw t1, 0(t0)\n lw t2, 44(t0)",
        "bne t1, t2, 20b",
        "lw ra, 64(sp)\n lw s0, 68(sp)\n lw s1, 72(sp)\n lw s2, 76(sp)\n lw s3, 80(sp)\n lw s4, 84(sp)\n lw s5, 88(sp)",
        "lw s6, 92(sp)\n lw s7, 96(sp)\n lw s8, 100(sp)\n lw s9, 104(sp)\n lw s10, 108(sp)\n lw s11, 112(sp)",
        "addi sp, sp, 128",
        "ret",
        // One channel.
        "10:",
        "addi t1, t1, 4\n sw t1, 0(t0)",
        "11:",
        single!("0", "0", "4", "8", "12"),
        single!("1", "1", "5", "9", "13"),
        single!("2", "2", "6", "10", "14"),
        single!("3", "3", "7", "11", "15"),
        "addi a0, a0, 4\n addi a2, a2, 16",
        "bne a2, a3, 11b",
        "sw a0, 120(sp)\n sw t3, 0(sp)\n sw t4, 4(sp)\n sw t5, 8(sp)\n sw t6, 12(sp)",
        "addi s1, sp, 16\n j 5b",
        ".option pop",
        finish = sym finish,
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

    const SINGLE: bool = true;

    /// As a linear layer does.
    #[inline(never)]
    unsafe fn single(conv: &Conv, out: &mut Output, patch: *const u32, blocks: usize, pixel: usize) {
        let (channels, row_len) = (conv.output[2], 4 * blocks);
        let mut o = 0;
        while o < channels {
            let (count, step, next) = if channels - o < 8 { (1, 0, 0) } else { (8, row_len, 1) };
            // SAFETY: rows `o` to `o + count` exist, with a bias each.
            unsafe {
                let bias = conv.epilogue.bias.as_ptr().add(o);
                let mut acc: [i32; 8] = core::array::from_fn(|i| *bias.add(i * next));
                add_rows(&mut acc, patch.cast(), conv.weights.as_ptr().add(o * row_len), step, row_len);
                store::<Rv32, 8, 1>(&conv.epilogue, out, acc, count, o, pixel * channels + o, 1);
            }
            o += count;
        }
    }

    #[inline(never)]
    unsafe fn channels<const P: usize>(
        conv: &Conv,
        out: &mut Output,
        patch: *const u32,
        blocks: usize,
        first: usize,
        count: usize,
    ) -> bool {
        let channels = conv.output[2];
        // SAFETY: the caller's promise; tiles have four pixels.
        unsafe {
            let finish = Finish::new(&conv.epilogue, out, channels, first, 1, count);
            let end = conv.epilogue.bias.as_ptr().add(channels);
            let patch = [patch, patch.add(4 * blocks)];
            if channels > 0 {
                tile(&mut Tile { finish, end, row_len: 4 * blocks, patch }, conv.weights.as_ptr().cast());
            }
        }
        true
    }
}
