//! Winograd's transforms and products by the DSP extension: pairs of i16, the bytes 0 and 2 or 1 and 3 of four.
//!
//! Inputs are made unsigned first (x + 128), so that shifted additions keep the halves of a pair apart; only differences
//! need instructions for pairs. Rows of the input's transform sum to 0, but for one, so that the 128 cancel there.

use super::finish::finish;
use super::instructions::Dsp;
use crate::kernels::conv::Conv;
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
            "mov r6, #0x00800080\n",
            "sxtab16 r8, r6, r8",
            $rotate,
            "\n sxtab16 r9, r6, r9",
            $rotate,
            "\n sxtab16 r10, r6, r10",
            $rotate,
            "\n",
            "sxtab16 r11, r6, r11",
            $rotate,
            "\n sxtab16 r12, r6, r12",
            $rotate,
            "\n sxtab16 lr, r6, lr",
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
pub struct Lanes {
    finish: Finish,
    /// Of the lane at hand.
    sums: *const i32,
    lanes: *const Lane,
    end: *const Lane,
    row: usize,
    /// 1 where outputs are i16.
    wide: u32,
    /// The first output channel, in the row at hand, of a lane that begins at 0; the residual's, or null.
    out: *mut u8,
    residual: *const i8,
    bias: *const i32,
    multipliers: *const i16,
    /// 1 where sums are twice what they are.
    doubled: u32,
    /// 1/3 modulo 2^32.
    third: u32,
    starts: Starts,
}

/// Where everything begins.
#[derive(Clone, Copy)]
struct Starts {
    out: *mut u8,
    residual: *const i8,
    bias: *const i32,
    multipliers: *const i16,
}

impl Transforms for Dsp {
    type Job = Lanes;

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
    unsafe fn weights(taps: *const i8, rows: usize, channels: usize, to: *mut u32, plane: usize) {
        // SAFETY: the caller's promise. r6 and r7 are saved, and on the stack is where the taps end.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "push {{r8}}",
                "2:",
                "ldr r9, [r0, r1]\n ldr r10, [r0, r1, lsl #1]\n ldr r8, [r0], #4",
                transform_weights!(""),
                transform_weights!(", ror #8"),
                "cmp r0, r5",
                "bne 2b",
                "ldr r8, [sp]",
                "add r0, r0, r1, lsl #1",
                "add r5, r0, r1",
                "cmp r0, r8",
                "bne 2b",
                "pop {{r8}}",
                "pop {{r6, r7}}",
                inout("r0") taps => _, in("r1") channels, inout("r2") to => _,
                inout("r3") to.byte_add(3 * plane) => _, in("r4") plane, inout("r5") taps.add(channels) => _,
                inout("r8") taps.add(3 * rows * channels) => _, out("r9") _, out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            );
        }
    }

    unsafe fn products(inputs: *const u32, plane: usize, weights: *const u32, words: usize, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { products(inputs, plane - 16 * words, weights, words, sums, 0) };
    }

    #[inline(never)]
    unsafe fn inputs_down(tile: *mut u32, next: *mut u32, channels: usize) {
        // SAFETY: the caller's promise. r6 and r7 are saved; r12 counts the six values, each `channels` bytes of 32 long.
        unsafe {
            asm!(
                "push {{r6, r7}}",
                "mov r12, #6",
                "add r2, r1, r1, lsl #1",
                "20:",
                "add lr, r0, r1",
                "2:",
                "ldr r4, [r0]\n ldr r5, [r0, r1]\n ldr r6, [r0, r1, lsl #1]\n ldr r7, [r0, r2]",
                "str r7, [r3, r1]\n str r6, [r3], #16",
                "ssub16 r4, r4, r6\n str r4, [r0, r1, lsl #1]",
                "ssub16 r7, r7, r5\n str r7, [r0, r2]",
                "ssub16 r4, r6, r5\n str r4, [r0, r1]",
                "sadd16 r6, r6, r5\n str r6, [r0], #16",
                "cmp r0, lr",
                "blo 2b",
                "add r0, r0, r2\n add r3, r3, r2",
                "subs r12, #1",
                "bne 20b",
                "pop {{r6, r7}}",
                inout("r0") tile => _, in("r1") 8 * channels, out("r2") _, inout("r3") next => _,
                out("r4") _, out("r5") _, out("r12") _, out("lr") _,
            );
        }
    }

    unsafe fn weights_tile(rows: [*const i8; 2], channels: usize, to: *mut u32) {
        for (second, taps) in rows.into_iter().enumerate() {
            // SAFETY: the caller's promise.
            unsafe { Self::weights(taps, 3, channels, to.add(second), 16 * channels) };
        }
        // SAFETY: the caller's promise.
        unsafe { weights_down(to, channels) };
    }

    unsafe fn products_down(inputs: *const u32, weights: *const u32, words: usize, sums: *mut i32) {
        // SAFETY: the caller's promise.
        unsafe { products(inputs, 0, weights, words, sums, 3) };
    }

    unsafe fn job(conv: &Conv, out: &mut Output) -> Lanes {
        let wide = matches!(out, Output::I16(_)) as u32;
        // SAFETY: the caller's promise.
        let finish = unsafe { Finish::new(&conv.epilogue, out, conv.output[2], 0, conv.window.dilation[1], 0) };
        let (out, residual) = (finish.out, finish.residual);
        let (bias, multipliers) = (finish.bias[0], finish.multipliers);
        Lanes {
            finish,
            sums: core::ptr::null(),
            lanes: core::ptr::null(),
            end: core::ptr::null(),
            row: 0,
            wide,
            out,
            residual,
            bias,
            multipliers,
            doubled: 0,
            third: 0xAAAA_AAAB,
            starts: Starts { out, residual, bias, multipliers },
        }
    }

    #[inline(always)]
    unsafe fn outputs(job: &mut Lanes, at: &Place, _: &mut Output, sums: *const i32, lanes: *const Lane) {
        let [_, width, channels] = at.conv.output;
        let first = at.row * width * channels + at.o;
        let Starts { out, residual, bias, multipliers } = job.starts;
        if at.row == 0 {
            // A group's next rows have the same lanes and channels.
            job.end = lanes.wrapping_add(4);
            job.bias = bias.wrapping_add(at.o);
            job.multipliers = multipliers.wrapping_add(at.o);
            job.finish.bias[1] = job.bias.wrapping_add(at.channels);
            job.doubled = at.doubled as u32;
        }
        job.sums = sums;
        job.lanes = lanes;
        job.out = out.wrapping_add(first << job.wide);
        if !residual.is_null() {
            job.residual = residual.wrapping_add(first);
        }
        job.row = at.row;
        // SAFETY: the caller's promise, as `Lanes` says.
        unsafe { store(job) };
    }
}

/// Six times the sums of products of a value, or of the four products of a value of a tile of two rows, whose inputs and
/// weights follow one another. `skip` bytes of inputs lie between values; `more` is 0 or 3.
///
/// # Safety
/// All that is readable and writable; `words` is positive and even.
#[inline(never)]
unsafe fn products(inputs: *const u32, skip: usize, weights: *const u32, words: usize, sums: *mut i32, more: usize) {
    // SAFETY: the caller's promise. A product takes eight words a turn; the first turn begins where the number of words
    // wants it. On the stack: sums, the end of all weights, what is skipped, bytes of a product's weights, where the first
    // of a value goes on; then the end of this product's, and where it goes on.
    unsafe {
        asm!(
            "push {{r6, r7}}",
            "adr r6, 36f",
            "cbz r5, 19f",
            "adr r6, 31f",
            "19:",
            "sub sp, sp, #12",
            "push {{r2, r3, r4, r8, r9}}",
            "str r6, [sp, #16]",
            "20:",
            "mov r0, #0\n mov r1, #0\n mov r2, #0\n mov r3, #0\n mov r4, #0\n mov r5, #0\n mov r6, #0\n mov r7, #0",
            "ldrd r9, r8, [sp, #12]",
            // A product, of r9 bytes of weights, and on to r8.
            "30:",
            "add r10, lr, r9",
            "strd r10, r8, [sp, #24]",
            "ands r9, r9, #48",
            "beq 28f",
            "cmp r9, #32",
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
            "ldrd r8, r9, [sp, #24]",
            "cmp lr, r8",
            "bne 28b",
            "mov pc, r9",
            ".balign 4",
            "31:",
            // The second row's sums are m0 for now.
            "ldr r11, [sp]\n add r11, r11, #192\n stm r11, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
            "adr r8, 32f\n ldr r9, [sp, #12]\n b 30b",
            ".balign 4",
            "32:",
            // m0 + m1 here; there 2·m0 − (m0 + m1).
            "ldr r11, [sp]\n add r11, r11, #192",
            "ldrd r8, r9, [r11]\n rsb r8, r0, r8, lsl #1\n rsb r9, r1, r9, lsl #1\n strd r8, r9, [r11], #8",
            "ldrd r8, r9, [r11]\n rsb r8, r2, r8, lsl #1\n rsb r9, r3, r9, lsl #1\n strd r8, r9, [r11], #8",
            "ldrd r8, r9, [r11]\n rsb r8, r4, r8, lsl #1\n rsb r9, r5, r9, lsl #1\n strd r8, r9, [r11], #8",
            "ldrd r8, r9, [r11]\n rsb r8, r6, r8, lsl #1\n rsb r9, r7, r9, lsl #1\n strd r8, r9, [r11]",
            "adr r8, 33f\n ldr r9, [sp, #12]\n b 30b",
            ".balign 4",
            "33:",
            "ldr r11, [sp]\n stm r11!, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
            "add r11, r11, #160\n ldm r11, {{r0, r1, r2, r3, r4, r5, r6, r7}}",
            "adr r8, 34f\n ldr r9, [sp, #12]\n b 30b",
            ".balign 4",
            "34:",
            "ldr r8, [sp]\n add r9, r8, #192\n stm r9, {{r0, r1, r2, r3, r4, r5, r6, r7}}\n add r8, r8, #32",
            "ldr r9, [sp, #4]\n b 35f",
            ".balign 4",
            "36:",
            "ldr r8, [sp]\n ldrd r9, r10, [sp, #4]\n stm r8!, {{r0, r1, r2, r3, r4, r5, r6, r7}}\n add r12, r12, r10",
            "35:",
            "str r8, [sp]",
            "cmp lr, r9",
            "bne 20b",
            "add sp, sp, #32",
            "pop {{r6, r7}}",
            inout("r2") sums => _, inout("r3") weights.add(12 * words * (more + 1)) => _,
            inout("r4") skip => _, inout("r5") more => _, inout("r8") 8 * words => _,
            inout("r12") inputs => _, inout("lr") weights => _,
            out("r0") _, out("r1") _, out("r9") _, out("r10") _, out("r11") _,
        );
    }
}

/// Three rows of transformed weights, `channels` words apart, as the values of a tile of two rows, six times over.
///
/// # Safety
/// `weights` has 24 times `channels` words.
#[inline(never)]
unsafe fn weights_down(weights: *mut u32, channels: usize) {
    // SAFETY: the caller's promise. r6 and r7 are saved, and the six values counted on the stack: r0 to r3 go through the
    // four places, two words a turn.
    unsafe {
        asm!(
            "push {{r6, r7}}",
            "mov r4, #6",
            "20:",
            "push {{r4}}",
            "add r1, r0, r12\n add r2, r1, r12\n add r3, r2, r12\n mov lr, r1",
            "2:",
            "ldrd r4, r5, [r0]\n ldrd r8, r9, [r1]\n ldrd r10, r11, [r2]",
            "sadd16 r6, r4, r10\n sadd16 r7, r5, r11",
            "sadd16 r4, r4, r4\n sadd16 r5, r5, r5\n strd r4, r5, [r2], #8",
            "sadd16 r4, r6, r8\n ssub16 r8, r6, r8\n sadd16 r5, r7, r9\n ssub16 r9, r7, r9",
            "strd r4, r5, [r0], #8\n strd r8, r9, [r1], #8",
            "sadd16 r10, r10, r10\n sadd16 r11, r11, r11\n strd r10, r11, [r3], #8",
            "cmp r0, lr",
            "bne 2b",
            "mov r0, r3",
            "pop {{r4}}",
            "subs r4, #1",
            "bne 20b",
            "pop {{r6, r7}}",
            inout("r0") weights => _, in("r12") 4 * channels,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("lr") _,
        );
    }
}

/// Four outputs of each lane and channel from their six sums m0 to m5:
///
/// ```text
///   24·y0 = 6·m0 + 4·(m1 + m2) + (m3 + m4)         6·y2 = (m1 + m2) + (m3 + m4)
///   12·y1 = 2·(m1 − m2) + (m3 − m4)                6·y3 = (m1 − m2) + 2·(m3 − m4) + 6·m5
/// ```
///
/// Times 1/3 modulo 2^32, and shifted by what is left, and by one more where sums are doubled.
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
            "add r12, r7, #48",
            "ldm r12, {{r0, r1, r2, r3, r4, r5, r6, r8, r9}}",
            "ldm r1!, {{r10, r11}}",
            "mov r12, r0",
            "add r0, r0, #4",
            "strd r0, r1, [r7, #48]",
            "cmp r3, r11, lsr #16",
            "bhs 40f",
            "strh r11, [r7, #44]",
            "lsl r4, r10, r4",
            "add r5, r5, r4",
            "strd r9, r5, [r7]",
            "cmp r6, #0",
            "it ne",
            "addne r6, r6, r10",
            "strd r6, r8, [r7, #24]",
            "30:",
            "ldr r0, [r12]\n ldr r1, [r12, #32]\n ldr r2, [r12, #64]\n ldr r3, [r12, #96]\n ldr r4, [r12, #128]",
            "ldr r5, [r12, #160]\n add r12, r12, #16",
            "add r8, r1, r2\n sub r9, r1, r2\n add r10, r3, r4\n sub r11, r3, r4",
            "add r0, r0, r0, lsl #1\n add r0, r0, r8, lsl #1\n add r0, r10, r0, lsl #1",
            "add r1, r11, r9, lsl #1",
            "add r2, r8, r10",
            "add r3, r9, r11, lsl #1\n add r5, r5, r5, lsl #1\n add r3, r3, r5, lsl #1",
            "ldrd r4, r6, [r7, #84]",
            "mul r0, r0, r6\n mul r1, r1, r6\n mul r2, r2, r6\n mul r3, r3, r6",
            "ldr r8, [r7, #28]\n ldr r5, [r8], #4\n str r8, [r7, #28]",
            "cbz r4, 35f",
            "add r0, r5, r0, asr #4\n add r1, r5, r1, asr #3\n add r2, r5, r2, asr #2\n add r3, r5, r3, asr #2",
            "34:",
            "bl {finish}",
            "ldrd r4, r5, [r7, #28]",
            "cmp r4, r5",
            "bne 30b",
            "40:",
            "ldrd r4, r5, [r7, #52]",
            "cmp r4, r5",
            "bne 20b",
            "b 41f",
            "35:",
            "add r0, r5, r0, asr #3\n add r1, r5, r1, asr #2\n add r2, r5, r2, asr #1\n add r3, r5, r3, asr #1",
            "b 34b",
            "41:",
            "pop {{r6, r7}}",
            finish = sym finish,
            inout("r0") lanes => _,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("lr") _,
        );
    }
}
