//! Linear layers and sums with the DSP extension.

use super::dsp::{even, instruction, odd, smlad, Dsp};
use super::epilogue::{look_up, store, Requantize};
use super::{portable, row_stride, Add, Linear, Output};
use core::arch::asm;

/// Like [`portable::linear`]: four outputs share each widened input word.
pub fn linear(linear: &Linear, mut out: Output) {
    let blocks = row_stride(linear.input.len()) / 4;
    let outputs = linear.weights.len().checked_div(4 * blocks).unwrap_or(0);
    let whole = linear.input.len() / 4;
    let aligned = (linear.input.as_ptr() as usize | linear.weights.as_ptr() as usize).is_multiple_of(4);
    if !aligned || !linear.epilogue.is_whole(outputs, outputs, &out) {
        return portable::linear(linear, out);
    }
    let mut last = 0;
    for (i, &value) in linear.input.iter().skip(4 * whole).enumerate() {
        last |= (value as u8 as u32) << (8 * i);
    }
    let input = linear.input.as_ptr().cast::<u32>();
    let mut o = 0;
    while o < outputs {
        // The last outputs go one by one, the tile four times over the same row.
        let (count, step) = if outputs - o < 4 { (1, 0) } else { (4, blocks) };
        // SAFETY: rows `o` to `o + count` exist, with `blocks` words and a bias each.
        unsafe {
            let row = linear.weights.as_ptr().cast::<u32>().add(o * blocks);
            let mut acc = [0; 4];
            for (i, a) in acc.iter_mut().enumerate().take(count) {
                *a = *linear.epilogue.bias.as_ptr().add(o + i);
            }
            if whole > 0 {
                acc = four_rows(acc, row, step, input, whole);
            }
            if whole < blocks {
                for (i, a) in acc.iter_mut().enumerate() {
                    let w = *row.add(i * step + whole);
                    *a = smlad(odd(last), odd(w), smlad(even(last), even(w), *a));
                }
            }
            store::<Dsp, 4, 1>(&linear.epilogue, &mut out, acc, count, o, o, 1);
        }
        o += count;
    }
}

/// One row of the tile of a linear layer: widen four weights, multiply by four inputs.
macro_rules! row {
    ($load:literal, $acc:literal) => {
        concat!(
            $load,
            "\n sxtb16 r9, r8\n sxtb16 r8, r8, ror #8\n",
            "smlad ",
            $acc,
            ", r4, r9, ",
            $acc,
            "\n smlad ",
            $acc,
            ", r5, r8, ",
            $acc,
            "\n",
        )
    };
}

/// `acc[i] += Σ input·row[i·step..]` over `blocks` ≥ 1 words.
///
/// # Safety
/// `input` has `blocks` words, so has each of the four rows.
#[inline(always)]
unsafe fn four_rows(mut acc: [i32; 4], row: *const u32, step: usize, input: *const u32, blocks: usize) -> [i32; 4] {
    // SAFETY: the caller's promise.
    unsafe {
        asm!(
            "2:",
            "ldr r5, [r12], #4",
            "sxtb16 r4, r5",
            "sxtb16 r5, r5, ror #8",
            row!("ldr r8, [r10, r11, lsl #1]", "r2"),
            "add r8, r11, r11, lsl #1",
            row!("ldr r8, [r10, r8]", "r3"),
            row!("ldr r8, [r10, r11]", "r1"),
            row!("ldr r8, [r10], #4", "r0"),
            "cmp r12, lr",
            "bne 2b",
            inout("r0") acc[0], inout("r1") acc[1], inout("r2") acc[2], inout("r3") acc[3],
            inout("r10") row => _, in("r11") 4 * step, inout("r12") input => _, in("lr") input.add(blocks),
            out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            options(readonly, nostack),
        );
    }
    acc
}

/// Like [`portable::add`]: a word of each operand, four sums.
pub fn add(add: &Add, out: &mut [i8]) {
    let len = out.len();
    let to = out.as_mut_ptr();
    let a = add.a.map_or(to.cast_const(), |a| a.as_ptr());
    let whole = add.a.is_none_or(|a| a.len() >= len) && add.b.len() >= len;
    if !whole || !(a as usize | add.b.as_ptr() as usize | to as usize).is_multiple_of(4) {
        return portable::add(add, out);
    }
    // SAFETY: all three slices have `len` values, aligned to 4.
    unsafe {
        let b = add.b.as_ptr();
        match add.lut {
            Some(_) => sums(add, a, b, to, len, |q| look_up(add.lut, q)),
            None => sums(add, a, b, to, len, |q| q as i8),
        }
    }
}

/// # Safety
/// `a`, `b` and `to` have `len` values, aligned to 4.
#[inline(always)]
unsafe fn sums(add: &Add, a: *const i8, b: *const i8, to: *mut i8, len: usize, finish: impl Fn(i32) -> i8) {
    let multipliers = add.multipliers[0] as u16 as u32 | (add.multipliers[1] as u16 as u32) << 16;
    let (offset, shift) = (add.offset, add.shift as u32 & 31);
    let low = |a: u32, b: u32| {
        let t = instruction!("smlabb {}, {}, {}, {}", a, multipliers, offset);
        finish(Dsp::saturate(instruction!("smlabt {}, {}, {}, {}", b, multipliers, t) as i32 >> shift))
    };
    let high = |a: u32, b: u32| {
        let t = instruction!("smlatb {}, {}, {}, {}", a, multipliers, offset);
        finish(Dsp::saturate(instruction!("smlatt {}, {}, {}, {}", b, multipliers, t) as i32 >> shift))
    };
    // SAFETY: index stays below `len`.
    unsafe {
        for index in (0..len & !3).step_by(4) {
            let (x, y) = (*a.add(index).cast::<u32>(), *b.add(index).cast::<u32>());
            let (xe, xo, ye, yo) = (even(x), odd(x), even(y), odd(y));
            *to.add(index) = low(xe, ye);
            *to.add(index + 1) = low(xo, yo);
            *to.add(index + 2) = high(xe, ye);
            *to.add(index + 3) = high(xo, yo);
        }
        for index in len & !3..len {
            *to.add(index) = low(*a.add(index) as u32, *b.add(index) as u32);
        }
    }
}
