//! Linear layers: four outputs share each widened input word.

use super::instructions::{even, odd, smlad, Dsp};
use crate::cores::Part;
use crate::kernels::epilogue::Output;
use crate::kernels::linear::{self, Linear, UNIT};
use crate::kernels::scratch::row_stride;
use crate::kernels::shared::packing::four;
use crate::kernels::shared::store::store;
use core::arch::asm;
use core::ops::Range;

/// Like [`linear::portable`], four rows at a time.
pub fn linear(linear: &Linear, part: Part, mut out: Output) {
    let blocks = row_stride(linear.input.len()) / 4;
    let outputs = linear.weights.len().checked_div(4 * blocks).unwrap_or(0);
    let whole = linear.input.len() / 4;
    let aligned = (linear.input.as_ptr() as usize | linear.weights.as_ptr() as usize).is_multiple_of(4);
    if !aligned || !linear.epilogue.is_whole(outputs, outputs, &out) {
        return linear::portable(linear, part, out);
    }
    // SAFETY: the inputs after the last whole word.
    let last = unsafe { four(linear.input.as_ptr().add(4 * whole), linear.input.len() & 3) };
    let input = linear.input.as_ptr().cast::<u32>();
    let Range { start: mut o, end: outputs } = part.of(outputs, UNIT);
    while o < outputs {
        // The last outputs go one by one, the tile four times over the same row.
        let (count, step, next) = if outputs - o < 4 { (1, 0, 0) } else { (4, blocks, 1) };
        // SAFETY: rows `o` to `o + count` exist, with `blocks` words and a bias each.
        unsafe {
            let row = linear.weights.as_ptr().cast::<u32>().add(o * blocks);
            let bias = linear.epilogue.bias.as_ptr().add(o);
            let mut acc = [*bias, *bias.add(next), *bias.add(2 * next), *bias.add(3 * next)];
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
