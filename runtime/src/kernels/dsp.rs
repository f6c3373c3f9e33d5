//! Cortex-M4, M7 and M33: the DSP extension's dual 16-bit multiply-accumulate.
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
//! 13 instructions for 16 products, 14 with the loop. Requantization is one `smlawb`, a shift and `ssat`.

use super::ring;
use super::tiled::{self, look_up, store, Isa};
use super::{portable, row_stride, Add, Conv, Depthwise, Linear, Output};
use core::arch::asm;

pub use super::portable::lut;

/// Like [`portable::conv`].
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    if !tiled::conv::<Dsp>(conv, &mut out, scratch) {
        portable::conv(conv, out, scratch);
    }
}

/// Like [`portable::depthwise`].
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    if !ring::depthwise::<Dsp>(conv, out, scratch) {
        portable::depthwise(conv, out, scratch);
    }
}

struct Dsp;

/// One instruction with register operands and no other effect.
macro_rules! instruction {
    ($text:literal $(, $operand:expr)*) => {{
        let result: u32;
        // SAFETY: a register operation of the DSP extension; no memory, no stack, no flag that Rust reads.
        unsafe { instruction!(@ $text, result $(, $operand)*) };
        result
    }};
    (@ $text:literal, $r:ident, $a:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, options(pure, nomem, nostack, preserves_flags))
    };
    (@ $text:literal, $r:ident, $a:expr, $b:expr, $c:expr) => {
        asm!($text, out(reg) $r, in(reg) $a, in(reg) $b, in(reg) $c, options(pure, nomem, nostack, preserves_flags))
    };
}

/// Two signed 16-bit products added to `acc`.
#[inline(always)]
fn smlad(x: u32, y: u32, acc: i32) -> i32 {
    instruction!("smlad {}, {}, {}, {}", x, y, acc) as i32
}

/// Bytes 0 and 2 as signed halfwords.
#[inline(always)]
fn even(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}", values)
}

/// Bytes 1 and 3 as signed halfwords.
#[inline(always)]
fn odd(values: u32) -> u32 {
    instruction!("sxtb16 {}, {}, ror #8", values)
}

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
            "smlad ", $a, ", r4, r10, ", $a, "\n smlad ", $a, ", r5, r11, ", $a, "\n",
            "smlad ", $b, ", r8, r10, ", $b, "\n smlad ", $b, ", r9, r11, ", $b, "\n",
        )
    };
}

impl Isa for Dsp {
    #[inline(always)]
    fn widen(values: u32) -> [u32; 2] {
        [even(values), odd(values)]
    }

    #[inline(always)]
    unsafe fn dot4(row: *const u32, patch: *const u32, blocks: usize, bias: i32) -> [i32; 4] {
        let mut acc = [bias; 4];
        // SAFETY: reads `blocks` words of `row` and `8·blocks` of `patch`; two blocks a turn, an odd one enters in the
        // middle. r6, which cannot be an operand, is saved.
        unsafe {
            asm!(
                "push {{r6}}",
                "add r6, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                widen_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "3:",
                widen_weights!(), two_pixels!("r0", "r1"), two_pixels!("r2", "r3"),
                "cmp r12, r6",
                "bne 2b",
                "pop {{r6}}",
                inout("r0") acc[0], inout("r1") acc[1], inout("r2") acc[2], inout("r3") acc[3],
                inout("r11") blocks => _, inout("r12") row => _, inout("lr") patch => _,
                out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                options(readonly),
            );
        }
        acc
    }

    #[inline(always)]
    unsafe fn dot2(row: *const u32, patch: *const u32, blocks: usize, bias: i32) -> [i32; 2] {
        let mut acc = [bias; 2];
        // SAFETY: like `dot4` with `4·blocks` words of `patch`.
        unsafe {
            asm!(
                "add r3, r12, r11, lsl #2",
                "tst r11, #1",
                "bne 3f",
                "2:",
                widen_weights!(), two_pixels!("r0", "r1"),
                "3:",
                widen_weights!(), two_pixels!("r0", "r1"),
                "cmp r12, r3",
                "bne 2b",
                inout("r0") acc[0], inout("r1") acc[1], out("r3") _,
                inout("r11") blocks => _, inout("r12") row => _, inout("lr") patch => _,
                out("r4") _, out("r5") _, out("r8") _, out("r9") _, out("r10") _,
                options(readonly, nostack),
            );
        }
        acc
    }

    #[inline(always)]
    fn spread(values: u32) -> [u32; 2] {
        [even(values), odd(values)]
    }

    #[inline(always)]
    fn multiply_add(acc: [i32; 4], x: [u32; 2], w: [u32; 2]) -> [i32; 4] {
        [
            instruction!("smlabb {}, {}, {}, {}", x[0], w[0], acc[0]) as i32,
            instruction!("smlabb {}, {}, {}, {}", x[1], w[1], acc[1]) as i32,
            instruction!("smlatt {}, {}, {}, {}", x[0], w[0], acc[2]) as i32,
            instruction!("smlatt {}, {}, {}, {}", x[1], w[1], acc[3]) as i32,
        ]
    }

    #[inline(always)]
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32 {
        instruction!("smlawb {}, {}, {}, {}", acc, multiplier as i32, offset) as i32
    }

    #[inline(always)]
    fn saturate(q: i32) -> i32 {
        instruction!("ssat {}, #8, {}", q) as i32
    }
}

/// Like [`portable::linear`]: four outputs share each widened input word.
pub fn linear(linear: &Linear, mut out: Output) {
    let blocks = row_stride(linear.input.len()) / 4;
    let outputs = linear.weights.len().checked_div(4 * blocks).unwrap_or(0);
    let whole = linear.input.len() / 4;
    let aligned = (linear.input.as_ptr() as usize | linear.weights.as_ptr() as usize) % 4 == 0;
    if !aligned || !linear.epilogue.is_whole(outputs, outputs, &out) {
        return portable::linear(linear, out);
    }
    let mut last = 0;
    for (i, &value) in linear.input.iter().skip(4 * whole).enumerate() {
        last |= (value as u8 as u32) << (8 * i);
    }
    let input = linear.input.as_ptr().cast::<u32>();
    let mut first = 0;
    while first < outputs {
        let count = if outputs - first < 4 { outputs - first } else { 4 };
        // SAFETY: rows `first` to `first + count` exist, with `blocks` words; rows beyond repeat the last.
        unsafe {
            let row = |i: usize| linear.weights.as_ptr().cast::<u32>().add((first + i.min(count - 1)) * blocks);
            let rows = [row(0), row(1), row(2), row(3)];
            let mut acc = [0i32; 4];
            for (i, a) in acc.iter_mut().enumerate().take(count) {
                *a = *linear.epilogue.bias.as_ptr().add(first + i);
            }
            for block in 0..whole {
                acc = dot_word(acc, *input.add(block), rows, block);
            }
            if whole < blocks {
                acc = dot_word(acc, last, rows, whole);
            }
            store::<Dsp, 4, 1>(&linear.epilogue, &mut out, acc, count, first, first, 1);
        }
        first += count;
    }
}

/// `acc[i] += Σ x[j]·rows[i][4·block + j]`.
#[inline(always)]
unsafe fn dot_word(mut acc: [i32; 4], x: u32, rows: [*const u32; 4], block: usize) -> [i32; 4] {
    let (x_even, x_odd) = (even(x), odd(x));
    for (a, row) in acc.iter_mut().zip(rows) {
        // SAFETY: the caller passes rows with more than `block` words.
        let w = unsafe { *row.add(block) };
        *a = smlad(x_odd, odd(w), smlad(x_even, even(w), *a));
    }
    acc
}

/// Like [`portable::add`]: a word of each operand, four sums.
pub fn add(add: &Add, out: &mut [i8]) {
    let len = out.len();
    let a = add.a.map_or(out.as_ptr(), |a| a.as_ptr());
    let whole = add.a.is_none_or(|a| a.len() >= len) && add.b.len() >= len;
    if !whole || (a as usize | add.b.as_ptr() as usize | out.as_ptr() as usize) % 4 != 0 {
        return portable::add(add, out);
    }
    let multipliers = add.multipliers[0] as u16 as u32 | (add.multipliers[1] as u16 as u32) << 16;
    let (offset, shift) = (add.offset, add.shift as u32 & 31);
    let sum = |a: u32, b: u32| {
        let t = instruction!("smlabb {}, {}, {}, {}", a, multipliers, offset);
        instruction!("smlabt {}, {}, {}, {}", b, multipliers, t) as i32
    };
    let to = out.as_mut_ptr();
    // SAFETY: index stays below `len`, which all three slices have.
    unsafe {
        for index in (0..len & !3).step_by(4) {
            let (x, y) = (*a.add(index).cast::<u32>(), *add.b.as_ptr().add(index).cast::<u32>());
            let (xe, xo, ye, yo) = (even(x), odd(x), even(y), odd(y));
            let sums = [sum(xe, ye), sum(xo, yo), sum(xe >> 16, ye >> 16), sum(xo >> 16, yo >> 16)];
            for (i, t) in sums.into_iter().enumerate() {
                *to.add(index + i) = look_up(add.lut, Dsp::saturate(t >> shift));
            }
        }
        for index in len & !3..len {
            let t = sum(*a.add(index) as i32 as u32, *add.b.as_ptr().add(index) as i32 as u32) >> shift;
            *to.add(index) = look_up(add.lut, Dsp::saturate(t));
        }
    }
}
