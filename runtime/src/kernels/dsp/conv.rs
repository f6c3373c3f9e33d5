//! Dense convolution.
//!
//! The register tile of a dense convolution, four pixels by one output channel; one weight word is widened
//! by two `sxtb16` and meets four pixels, four taps a pixel in two `smlad`:
//!
//! ```text
//!                    weights  w3 w2 w1 w0     ldr
//!                             w2 w0 │ w3 w1   sxtb16, sxtb16 ror 8
//!   patches (ldm)              │        │
//!   pixel 0   x2 x0 │ x3 x1    smlad    smlad   → r0
//!   pixel 1   x2 x0 │ x3 x1    smlad    smlad   → r1
//!   pixel 2   x2 x0 │ x3 x1    smlad    smlad   → r2
//!   pixel 3   x2 x0 │ x3 x1    smlad    smlad   → r3
//! ```
//!
//! 13 instructions for 16 products, 14 with the loop.

use super::finish::finish;
use super::instructions::{even, odd, Dsp};
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::finish::Finish;
use crate::kernels::shared::tiles::Isa;
use core::arch::asm;

/// One block of the tile: widen a weight word, meet two pixels by each `ldm`.
macro_rules! widen_weights {
    () => {
        "ldr r11, [r12], #4\n sxtb16 r10, r11\n sxtb16 r11, r11, ror #8\n"
    };
}
macro_rules! two_pixels {
    ($a:literal, $b:literal) => {
        concat!(
            "ldm lr!, {{r4, r5, r8, r9}}\n",
            "smlad ",
            $a,
            ", r4, r10, ",
            $a,
            "\n smlad ",
            $a,
            ", r5, r11, ",
            $a,
            "\n",
            "smlad ",
            $b,
            ", r8, r10, ",
            $b,
            "\n smlad ",
            $b,
            ", r9, r11, ",
            $b,
            "\n",
        )
    };
}

/// Where the dot products of a tile find what they need.
#[repr(C)]
struct Tile {
    finish: Finish,
    /// Bytes of a row of weights.
    row_len: usize,
    patch: *const [u32; 2],
}

/// Every output channel of a tile: `$bias` puts the bias in r0 into the other sums, `$block` meets a word of weights with
/// every pixel. Two blocks a turn, an odd one enters in the middle. r6 and r7, which cannot be operands, are saved.
macro_rules! tile {
    ($tile:ident, $row:ident, $bias:literal, $($block:expr),*) => {
        asm!(
            "push {{r6, r7}}",
            "mov r7, r0",
            "20:",
            "ldr r4, [r7, #28]",
            "ldr r0, [r4], #4",
            "str r4, [r7, #28]",
            $bias,
            "ldrd r6, lr, [r7, #48]",
            "tst r6, #4",
            "add r6, r6, r12",
            "bne 3f",
            "2:",
            $($block,)*
            "3:",
            $($block,)*
            "cmp r12, r6",
            "bne 2b",
            "bl {finish}",
            "ldrd r4, r5, [r7, #28]",
            "cmp r4, r5",
            "bne 20b",
            "pop {{r6, r7}}",
            finish = sym finish,
            inout("r0") $tile => _, inout("r12") $row => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("lr") _,
        )
    };
}

/// Every output channel of a tile of four pixels.
///
/// # Safety
/// `row` has as many rows of weights as there are biases; the tile's patches and outputs are whole.
#[inline(never)]
unsafe fn four(tile: &mut Tile, row: *const u32) {
    // SAFETY: reads what `Tile` points to and writes its outputs.
    unsafe {
        tile!(
            tile,
            row,
            "mov r1, r0\n mov r2, r0\n mov r3, r0",
            widen_weights!(),
            two_pixels!("r0", "r1"),
            two_pixels!("r2", "r3")
        )
    }
}

/// Every output channel of a tile of two pixels.
///
/// # Safety
/// Like `four`.
#[inline(never)]
unsafe fn two(tile: &mut Tile, row: *const u32) {
    // SAFETY: like `four`.
    unsafe { tile!(tile, row, "mov r1, r0", widen_weights!(), two_pixels!("r0", "r1")) }
}

impl Isa for Dsp {
    type Block = [u32; 2];
    const CHANNELS: bool = true;

    #[inline(always)]
    fn widen(values: u32) -> [u32; 2] {
        [even(values), odd(values)]
    }

    #[inline(always)]
    unsafe fn blocks<const P: usize>(mut from: *const u32, mut dst: *mut [u32; 2], count: usize) -> *mut [u32; 2] {
        // SAFETY: the caller's promise; the assembly takes four words a turn.
        unsafe {
            let end = from.add(count);
            for _ in 0..count % 4 {
                dst.write(Self::widen(*from));
                (from, dst) = (from.add(1), dst.wrapping_add(P));
            }
            if from != end {
                asm!(
                    "2:",
                    "ldm {from}!, {{r0, r1, r2, r3}}",
                    "sxtb16 r4, r0\n sxtb16 r5, r0, ror #8\n strd r4, r5, [{dst}]",
                    "sxtb16 r4, r1\n sxtb16 r5, r1, ror #8\n strd r4, r5, [{dst}, {at1}]",
                    "sxtb16 r4, r2\n sxtb16 r5, r2, ror #8\n strd r4, r5, [{dst}, {at2}]",
                    "sxtb16 r4, r3\n sxtb16 r5, r3, ror #8\n strd r4, r5, [{dst}, {at3}]",
                    "add {dst}, {dst}, {turn}",
                    "cmp {from}, {end}",
                    "bne 2b",
                    from = inout(reg) from => _, dst = inout(reg) dst, end = in(reg) end,
                    at1 = const 8 * P, at2 = const 16 * P, at3 = const 24 * P, turn = const 32 * P,
                    out("r0") _, out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _,
                    options(nostack),
                );
            }
        }
        dst
    }

    #[inline(always)]
    unsafe fn channels(
        pixels: usize,
        conv: &Conv,
        out: &mut Output,
        patch: *const [u32; 2],
        blocks: usize,
        first: usize,
        count: usize,
    ) -> bool {
        // SAFETY: the caller's promise.
        unsafe { tile(conv, out, patch, blocks, first, count, if pixels == 4 { four } else { two }) };
        true
    }
}

/// All output channels of a tile of pixels from `first` on, by `pixels`.
///
/// # Safety
/// As for [`Isa::channels`].
#[inline(never)]
unsafe fn tile(
    conv: &Conv,
    out: &mut Output,
    patch: *const [u32; 2],
    blocks: usize,
    first: usize,
    count: usize,
    pixels: unsafe fn(&mut Tile, *const u32),
) {
    let channels = conv.output[2];
    // SAFETY: the caller's promise.
    unsafe {
        let finish = Finish::new(&conv.epilogue, out, channels, first, 1, count);
        pixels(&mut Tile { finish, row_len: 4 * blocks, patch }, conv.weights.as_ptr().cast());
    }
}
