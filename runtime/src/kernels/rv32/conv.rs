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
//! 40 instructions for 16 products, and 6 a turn of sixteen taps for the pointers and the loop. Channels beyond the last
//! four go one by one, 13 instructions for 4 products.

use super::finish::finish;
use super::instructions::Rv32;
use super::linear::add_rows;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::finish::Finish;
use crate::kernels::shared::store::store;
use crate::kernels::shared::tiles::Isa;
use core::arch::{asm, naked_asm};

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
    /// Bytes of a row of weights.
    row_len: usize,
    /// Four interleaved patches, and their end.
    patch: [*const u32; 2],
}

/// Every output channel of a tile, of which there is one at least.
///
/// a0, a1, a6, a7 rows; a2 patches; a3 their end; t0, t1, t2, a4 inputs; a5 weight; ra product; t3 to t6 and s0 to s11
/// accumulators. On the stack: the next row, the caller's registers, the tile.
///
/// # Safety
/// `rows` has as many rows of weights as there are biases; the tile's patches and outputs are whole.
#[unsafe(naked)]
unsafe extern "C" fn tile(tile: *mut Tile, rows: *const u32) {
    naked_asm!(
        ".option push\n .option arch, +m",
        "addi sp, sp, -64",
        "sw ra, 4(sp)\n sw s0, 8(sp)\n sw s1, 12(sp)\n sw s2, 16(sp)\n sw s3, 20(sp)\n sw s4, 24(sp)\n sw s5, 28(sp)",
        "sw s6, 32(sp)\n sw s7, 36(sp)\n sw s8, 40(sp)\n sw s9, 44(sp)\n sw s10, 48(sp)\n sw s11, 52(sp)",
        "sw a0, 56(sp)\n mv t0, a0\n mv a0, a1",
        // Four channels, or one, from the row at a0 on, with the tile at t0.
        "lw t1, 28(t0)\n lw t2, 32(t0)",
        "20:",
        "lw a1, 48(t0)\n lw a2, 52(t0)\n lw a3, 56(t0)",
        "addi a5, t1, 16",
        "andi a4, a1, 12",
        "lw t3, 0(t1)",
        "mv t4, t3\n mv t5, t3\n mv t6, t3",
        "bltu t2, a5, 10f",
        "lw s0, 4(t1)\n lw s4, 8(t1)\n lw s8, 12(t1)\n sw a5, 28(t0)",
        "mv s1, s0\n mv s2, s0\n mv s3, s0",
        "mv s5, s4\n mv s6, s4\n mv s7, s4\n mv s9, s8\n mv s10, s8\n mv s11, s8",
        "slli a6, a1, 1\n add a7, a6, a1\n add a1, a1, a0\n add a6, a6, a0\n add a7, a7, a0",
        "beqz a4, 2f",
        // Words of weights beyond whole turns enter in the middle.
        "addi a5, a4, -16\n add a0, a0, a5\n add a1, a1, a5\n add a6, a6, a5\n add a7, a7, a5",
        "slli a5, a5, 2\n add a2, a2, a5\n addi a4, a4, -8\n bltz a4, 5f\n beqz a4, 4f\n j 3f",
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
        "4:",
        tap!("8", "32", "36", "40", "44"),
        tap!("9", "33", "37", "41", "45"),
        tap!("10", "34", "38", "42", "46"),
        tap!("11", "35", "39", "43", "47"),
        "5:",
        tap!("12", "48", "52", "56", "60"),
        tap!("13", "49", "53", "57", "61"),
        tap!("14", "50", "54", "58", "62"),
        tap!("15", "51", "55", "59", "63"),
        "addi a0, a0, 16\n addi a1, a1, 16\n addi a6, a6, 16\n addi a7, a7, 16\n addi a2, a2, 64",
        "bne a2, a3, 2b",
        "sw a7, 0(sp)\n lw a4, 56(sp)",
        // `finish` leaves s0 to s11 as they are.
        "mv a0, t3\n mv a1, t4\n mv a2, t5\n mv a3, t6\n call {finish}",
        "mv a0, s0\n mv a1, s1\n mv a2, s2\n mv a3, s3\n call {finish}",
        "mv a0, s4\n mv a1, s5\n mv a2, s6\n mv a3, s7\n call {finish}",
        "mv a0, s8\n mv a1, s9\n mv a2, s10\n mv a3, s11\n call {finish}",
        "8:",
        "lw a0, 0(sp)\n mv t0, a4",
        "lw t1, 28(t0)\n lw t2, 32(t0)",
        "bne t1, t2, 20b",
        "lw ra, 4(sp)\n lw s0, 8(sp)\n lw s1, 12(sp)\n lw s2, 16(sp)\n lw s3, 20(sp)\n lw s4, 24(sp)\n lw s5, 28(sp)",
        "lw s6, 32(sp)\n lw s7, 36(sp)\n lw s8, 40(sp)\n lw s9, 44(sp)\n lw s10, 48(sp)\n lw s11, 52(sp)",
        "addi sp, sp, 64",
        "ret",
        // One channel.
        "10:",
        "addi t1, t1, 4\n sw t1, 28(t0)",
        "11:",
        single!("0", "0", "4", "8", "12"),
        single!("1", "1", "5", "9", "13"),
        single!("2", "2", "6", "10", "14"),
        single!("3", "3", "7", "11", "15"),
        "addi a0, a0, 4\n addi a2, a2, 16",
        "bne a2, a3, 11b",
        "sw a0, 0(sp)\n lw a4, 56(sp)\n mv a0, t3\n mv a1, t4\n mv a2, t5\n mv a3, t6\n call {finish}",
        "j 8b",
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

    const CHANNELS: bool = true;

    #[inline(always)]
    unsafe fn blocks<const P: usize>(mut from: *const u32, mut dst: *mut u32, count: usize) -> *mut u32 {
        // SAFETY: the caller's promise; the assembly takes four words a turn.
        unsafe {
            let end = from.add(count);
            for _ in 0..count % 4 {
                dst.write(*from);
                (from, dst) = (from.add(1), dst.wrapping_add(P));
            }
            if from != end {
                asm!(
                    "2:",
                    "lw {a}, 0({from})\n lw {b}, 4({from})\n lw {c}, 8({from})\n lw {d}, 12({from})",
                    "sw {a}, 0({dst})\n sw {b}, {at1}({dst})\n sw {c}, {at2}({dst})\n sw {d}, {at3}({dst})",
                    "addi {from}, {from}, 16\n addi {dst}, {dst}, {turn}",
                    "bne {from}, {end}, 2b",
                    from = inout(reg) from => _, dst = inout(reg) dst, end = in(reg) end,
                    a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _,
                    at1 = const 4 * P, at2 = const 8 * P, at3 = const 12 * P, turn = const 16 * P,
                    options(nostack),
                );
            }
        }
        dst
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
    unsafe fn channels(
        _: usize,
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
            let patch = [patch, patch.add(4 * blocks)];
            if channels > 0 {
                tile(&mut Tile { finish, row_len: 4 * blocks, patch }, conv.weights.as_ptr().cast());
            }
        }
        true
    }
}
