//! Winograd's transforms and products by the DSP extension: pairs of i16, the bytes 0 and 2 or 1 and 3 of four.
//!
//! Inputs are made unsigned first (x + 128), so that shifted additions keep the halves of a pair apart; only differences
//! need instructions for pairs. Rows of the input's transform sum to 0, but for one, so that the 128 cancel there.

use super::finish::finish;
use super::instructions::Dsp;
use crate::kernels::epilogue::Output;
use crate::kernels::shared::finish::Finish;
use crate::kernels::shared::winograd::{Lane, Place, Transforms};
use core::arch::asm;

/// Bytes 0 and 2 (or, rotated, 1 and 3) of six columns at r0, r1 + 128 in r8 to r12 and lr, transformed and stored at r3
/// and r4, which move on by a word of four lanes.
///
/// ```text
///   0  4·d0 − 5·d2 + d4          3  −2·d1 − d2 + 2·d3 + d4
///   1  4·d1 + 4·d2 − d3 − d4     4  2·d1 − d2 − 2·d3 + d4
///   2  −4·d1 + 4·d2 + d3 − d4    5  4·d1 − 5·d3 + d5
/// ```
macro_rules! transform_inputs {
    ($next:literal, $rotate:literal) => {
        concat!(
            "ldr r9, [r0, r2]\n ldr r10, [r0, r2, lsl #1]\n ldr r12, [r1, r2]\n ldr lr, [r1, r2, lsl #1]\n",
            "ldr r8, [r0]",
            $next,
            "\n ldr r11, [r1]",
            $next,
            "\n",
            "eor r8, r8, #0x80808080\n eor r9, r9, #0x80808080\n eor r10, r10, #0x80808080\n",
            "eor r11, r11, #0x80808080\n eor r12, r12, #0x80808080\n eor lr, lr, #0x80808080\n",
            "uxtb16 r8, r8",
            $rotate,
            "\n uxtb16 r9, r9",
            $rotate,
            "\n uxtb16 r10, r10",
            $rotate,
            "\n",
            "uxtb16 r11, r11",
            $rotate,
            "\n uxtb16 r12, r12",
            $rotate,
            "\n uxtb16 lr, lr",
            $rotate,
            "\n",
            "add r6, r12, r8, lsl #2\n add r7, r10, r10, lsl #2\n ssub16 r8, r6, r7\n",
            "add r6, lr, r9, lsl #2\n add r7, r11, r11, lsl #2\n ssub16 lr, r6, r7\n str lr, [r4, r5, lsl #1]\n",
            // (4 + 4 − 1 − 1)·128 = 0x300 too much.
            "add r6, r9, r10\n lsl r6, r6, #2\n add r7, r11, r12\n add r7, r7, #0x03000300\n ssub16 r6, r6, r7\n",
            "str r6, [r3, r5]\n",
            "add r6, r11, r10, lsl #2\n add r7, r12, r9, lsl #2\n ssub16 r6, r6, r7\n str r6, [r3, r5, lsl #1]\n",
            "ssub16 r6, r12, r10\n ssub16 r7, r11, r9\n sadd16 r7, r7, r7\n",
            "sadd16 r9, r6, r7\n ssub16 r10, r6, r7\n str r10, [r4, r5]\n str r9, [r4], #16\n str r8, [r3], #16\n",
        )
    };
}

/// Bytes 0 and 2 (or, rotated, 1 and 3) of three taps in r8 to r10, transformed and stored at r2 and r3.
///
/// ```text
///   0  g0    1  g0 + g1 + g2    2  g0 − g1 + g2    3  g0 + 2·g1 + 4·g2    4  g0 − 2·g1 + 4·g2    5  g2
/// ```
macro_rules! transform_weights {
    ($rotate:literal) => {
        concat!(
            "sxtb16 r11, r8",
            $rotate,
            "\n sxtb16 r12, r9",
            $rotate,
            "\n sxtb16 lr, r10",
            $rotate,
            "\n",
            "str lr, [r3, r4, lsl #1]\n",
            "sadd16 r6, r11, lr\n sadd16 r7, r6, r12\n str r7, [r2, r4]\n",
            "ssub16 r7, r6, r12\n str r7, [r2, r4, lsl #1]\n",
            "sadd16 lr, lr, lr\n sadd16 lr, lr, lr\n sadd16 lr, lr, r11\n sadd16 r12, r12, r12\n",
            "ssub16 r7, lr, r12\n str r7, [r3, r4]\n",
            "sadd16 r6, lr, r12\n str r6, [r3], #8\n str r11, [r2], #8\n",
        )
    };
}

/// A pair of channels: two output channels by four lanes, 11 instructions for 16 products.
macro_rules! word {
    () => {
        concat!(
            "ldm lr!, {{r10, r11}}\n ldm r12!, {{r8, r9}}\n",
            "smlad r0, r8, r10, r0\n smlad r4, r8, r11, r4\n smlad r1, r9, r10, r1\n smlad r5, r9, r11, r5\n",
            "ldm r12!, {{r8, r9}}\n",
            "smlad r2, r8, r10, r2\n smlad r6, r8, r11, r6\n smlad r3, r9, r10, r3\n smlad r7, r9, r11, r7\n",
        )
    };
}

/// Where four lanes' outputs go.
#[repr(C)]
struct Lanes {
    finish: Finish,
    sums: *const i32,
    lanes: *const Lane,
    end: *const Lane,
    /// The first output channel, in the row at hand, of a lane that begins at 0; the residual's, or null.
    out: *mut u8,
    residual: *const i8,
    bias: *const i32,
    multipliers: *const i16,
    /// Where the biases end.
    bias_end: *const i32,
    row: usize,
    /// 1 where outputs are i16.
    wide: u32,
}

impl Transforms for Dsp {
    #[inline(never)]
    unsafe fn inputs(columns: *const i8, stride: usize, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise. r6 and r7 are saved.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "push {{r8}}",
                "2:",
                transform_inputs!("", ""),
                transform_inputs!(", #4", ", ror #8"),
                "ldr r6, [sp]",
                "cmp r0, r6",
                "bne 2b",
                "pop {{r8}}",
                "pop {{r6, r7}}",
                inout("r0") columns => _, inout("r1") columns.add(3 * stride) => _, in("r2") stride,
                inout("r3") to => _, inout("r4") to.byte_add(3 * plane) => _, in("r5") plane,
                inout("r8") columns.add(channels) => _,
                out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            );
        }
    }

    #[inline(never)]
    unsafe fn weights(taps: *const i8, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise. r6 and r7 are saved.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "2:",
                "ldr r9, [r0, r1]\n ldr r10, [r0, r1, lsl #1]\n ldr r8, [r0], #4",
                transform_weights!(""),
                transform_weights!(", ror #8"),
                "cmp r0, r5",
                "bne 2b",
                "pop {{r6, r7}}",
                inout("r0") taps => _, in("r1") channels, inout("r2") to => _,
                inout("r3") to.byte_add(3 * plane) => _, in("r4") plane, in("r5") taps.add(channels),
                out("r8") _, out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            );
        }
    }

    #[inline(never)]
    unsafe fn products(inputs: *const u32, plane: usize, weights: *const u32, words: usize, sums: *mut i32) {
        // SAFETY: the caller's promise. Eight words a turn; the first turn begins where the number of words wants it. On
        // the stack: sums, plane, bytes of the weights of one value, the end of all weights, the end of this value's.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "push {{r2, r3, r4, r5, r6}}",
                "20:",
                "ldr r8, [sp, #8]",
                "add r9, lr, r8",
                "str r9, [sp, #16]",
                "mov r0, #0\n mov r1, #0\n mov r2, #0\n mov r3, #0\n mov r4, #0\n mov r5, #0\n mov r6, #0\n mov r7, #0",
                "ands r8, r8, #48",
                "beq 28f",
                "cmp r8, #32",
                "blo 22f",
                "beq 24f",
                "b 26f",
                "28:",
                word!(), word!(),
                "26:",
                word!(), word!(),
                "24:",
                word!(), word!(),
                "22:",
                word!(), word!(),
                "ldr r8, [sp, #16]",
                "cmp lr, r8",
                "bne 28b",
                "ldrd r8, r9, [sp]",
                "stm r8!, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
                "str r8, [sp]",
                "add r12, r12, r9",
                "ldr r9, [sp, #12]",
                "cmp lr, r9",
                "bne 20b",
                "add sp, sp, #20",
                "pop {{r6, r7}}",
                inout("r2") sums => _, inout("r3") plane - 16 * words => _, inout("r4") 8 * words => _,
                inout("r5") weights.add(12 * words) => _,
                inout("r12") inputs => _, inout("lr") weights => _,
                out("r0") _, out("r1") _, out("r8") _, out("r9") _, out("r10") _, out("r11") _,
            );
        }
    }

    #[inline(always)]
    unsafe fn outputs(at: &Place, out: &mut Output, sums: *const i32, lanes: *const Lane) {
        let [_, width, channels] = at.conv.output;
        let epilogue = &at.conv.epilogue;
        let wide = matches!(out, Output::I16(_)) as u32;
        let first = at.row * width * channels + at.o;
        // SAFETY: the caller's promise.
        let mut lanes = unsafe {
            let finish = Finish::new(epilogue, out, channels, 0, at.conv.window.dilation[1], 0);
            let bias = epilogue.bias.as_ptr().add(at.o);
            let residual = finish.residual;
            Lanes {
                sums,
                lanes,
                end: lanes.add(4),
                out: finish.out.wrapping_add(first << wide),
                residual: if residual.is_null() { residual } else { residual.wrapping_add(first) },
                bias,
                multipliers: epilogue.multipliers.as_ptr().add(at.o),
                bias_end: bias.add(at.channels),
                row: at.row,
                wide,
                finish,
            }
        };
        // SAFETY: as `Lanes` says.
        unsafe { store(&mut lanes) };
    }
}

/// Four outputs of each lane and channel from their six sums m0 to m5:
///
/// ```text
///   24·y0 = 6·m0 + 4·(m1 + m2) + (m3 + m4)         6·y2 = (m1 + m2) + (m3 + m4)
///   12·y1 = 2·(m1 − m2) + (m3 − m4)                6·y3 = (m1 − m2) + 2·(m3 − m4) + 6·m5
/// ```
///
/// Times 1/3 modulo 2^32, and shifted by what is left.
///
/// # Safety
/// As [`Lanes`] says.
#[inline(never)]
unsafe fn store(lanes: &mut Lanes) {
    // SAFETY: the caller's promise. r6 and r7 are saved.
    unsafe {
        asm!(
            "push {{r6, r7}}",
            "mov r7, r0",
            "20:",
            "ldr r4, [r7, #48]",
            "ldrd r5, r6, [r4], #8",
            "str r4, [r7, #48]",
            "ldrd r4, r8, [r7, #76]",
            "cmp r4, r6, lsr #16",
            "bhs 40f",
            "uxth r6, r6",
            "str r6, [r7, #40]",
            "lsl r8, r5, r8",
            "ldrd r9, r10, [r7, #56]",
            "add r9, r9, r8",
            "str r9, [r7, #8]",
            "cmp r10, #0",
            "it ne",
            "addne r10, r10, r5",
            "str r10, [r7, #28]",
            "ldrd r8, r9, [r7, #64]",
            "strd r8, r9, [r7]",
            "ldr r12, [r7, #44]",
            "30:",
            "ldr r0, [r12]\n ldr r1, [r12, #32]\n ldr r2, [r12, #64]\n ldr r3, [r12, #96]\n ldr r4, [r12, #128]",
            "ldr r5, [r12, #160]\n add r12, r12, #16",
            "add r8, r1, r2\n sub r9, r1, r2\n add r10, r3, r4\n sub r11, r3, r4",
            "add r0, r0, r0, lsl #1\n add r0, r0, r8, lsl #1\n add r0, r10, r0, lsl #1",
            "add r1, r11, r9, lsl #1",
            "add r2, r8, r10",
            "add r3, r9, r11, lsl #1\n add r5, r5, r5, lsl #1\n add r3, r3, r5, lsl #1",
            "movw r6, #0xaaab\n movt r6, #0xaaaa",
            "mul r0, r0, r6\n mul r1, r1, r6\n mul r2, r2, r6\n mul r3, r3, r6",
            "ldr r4, [r7]\n ldr r5, [r4], #4\n str r4, [r7]",
            "add r0, r5, r0, asr #3\n add r1, r5, r1, asr #2\n add r2, r5, r2, asr #1\n add r3, r5, r3, asr #1",
            "bl {finish}",
            "ldr r4, [r7]",
            "ldr r5, [r7, #72]",
            "cmp r4, r5",
            "bne 30b",
            "40:",
            "ldr r4, [r7, #44]",
            "add r4, r4, #4",
            "str r4, [r7, #44]",
            "ldrd r4, r5, [r7, #48]",
            "cmp r4, r5",
            "bne 20b",
            "pop {{r6, r7}}",
            finish = sym finish,
            inout("r0") lanes => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("lr") _,
        );
    }
}
