//! Linear layers: four outputs share each widened input word.

use super::instructions::{even, odd, smlad, Dsp};
use crate::kernels::arguments::Linear;
use crate::kernels::epilogue::Output;
use crate::kernels::scratch::row_stride;
use crate::kernels::shared::store::store;
use core::arch::asm;

/// `linear` by four rows at a time; returns false without a change where the slices do not fit the shapes.
pub fn linear(linear: &Linear, out: &mut Output) -> bool {
    let blocks = row_stride(linear.input.len()) / 4;
    let outputs = linear.weights.len().checked_div(4 * blocks).unwrap_or(0);
    let whole = linear.input.len() / 4;
    let aligned = (linear.input.as_ptr() as usize | linear.weights.as_ptr() as usize).is_multiple_of(4);
    if !aligned || !linear.epilogue.is_whole(outputs, outputs, out) {
        return false;
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
            store::<Dsp, 4, 1>(&linear.epilogue, out, acc, count, o, o, 1);
        }
        o += count;
    }
    true
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
