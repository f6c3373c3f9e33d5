//! Depthwise 3×3 convolution: two output pixels by eight channels in one vector.
//!
//! The input rows under the window are copied to a ring in scratch as in [`ring`](crate::kernels::shared::ring), but as bytes, eight
//! channels a column, so that a vector from any column on holds two neighbouring pixels:
//!
//! ```text
//!   ring row   | c0…7 | c0…7 | c0…7 | …        vldrb at column x + kx
//!               pixel x  pixel x+1             weights of eight channels, twice
//! ```
//!
//! Two taps make two i16 products a lane whose sum cannot overflow (2·127·128 < 2^15); it is then widened
//! into four vectors of i32. 19 instructions for 32 products.

use super::instructions::Helium;
use crate::cores::Part;
use crate::kernels::depthwise::{Depthwise, UNIT};
use crate::kernels::epilogue::{start_of, Output};
use crate::kernels::scratch::depthwise_scratch;
use crate::kernels::shared::ring;
use crate::kernels::shared::store::align;
use crate::kernels::source::Window;
use core::arch::asm;
use core::cell::Cell;
use core::ops::Range;

/// `conv` by vectors where they apply, else through [`ring`]; returns false without a change where the slices do
/// not fit the shapes.
pub fn depthwise(conv: &Depthwise, part: Part, out: &[Cell<i8>], scratch: &mut [i8]) -> bool {
    let Window { kernel, stride, dilation, .. } = conv.window;
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let in_place = conv.source.data.is_empty() && out.len() >= conv.source.height * conv.source.width * channels;
    let input = if in_place { start_of(out).cast_const() } else { conv.source.data.as_ptr() };
    let applies = kernel == [3, 3]
        && stride == [1, 1]
        && dilation == [1, 1]
        && channels.is_multiple_of(8)
        && out_w > 0
        && conv.source.upsample == 0
        && conv.epilogue.residual.is_none()
        && (input as usize | out.as_ptr() as usize).is_multiple_of(4)
        && (conv.source.is_whole() || in_place)
        && conv.weights.len() >= 9 * channels
        && scratch.len() >= depthwise_scratch(&conv.window, out_w)
        && conv.epilogue.is_whole(channels, out_h * out_w * channels, &Output::I8(out));
    if !applies {
        return ring::depthwise::<Helium>(conv, part, out, scratch);
    }
    let Range { start, end } = part.of(channels, UNIT);
    for c in (start..end).step_by(8) {
        // SAFETY: the slices have the lengths that the loops walk, as just checked.
        unsafe { eight_channels(conv, input, start_of(out), align(scratch).cast(), c) };
    }
    true
}

/// A row of outputs of eight channels, and where everything is.
#[repr(C)]
struct Line {
    /// Vectors of four channels, twice two: 0 4 0 4, 2 6 2 6, 1 5 1 5, 3 7 3 7.
    bias: [[i32; 4]; 4],
    /// In the same order, times 2^16.
    multipliers: [[i32; 4]; 4],
    rows: [*const i8; 3],
    weights: *const i8,
    out: *mut i8,
    /// Bytes from one pixel to the next.
    step: usize,
    offset: i32,
    /// Minus the last shift.
    left_shift: i32,
    /// The activation's table, or null.
    lut: *const i8,
    /// Outputs.
    width: usize,
}

/// # Safety
/// The slices are whole, channels c to c + 8 exist, `scratch` is aligned to 8.
unsafe fn eight_channels(conv: &Depthwise, input: *const i8, out: *mut i8, scratch: *mut u64, c: usize) {
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let width = out_w + 2;
    let (weights, lines) = (scratch, scratch.wrapping_add(18));
    let epilogue = &conv.epilogue;
    // SAFETY: the caller's promise. The vector of an odd last column reads one column beyond its line: the next line,
    // or the spare bytes of the scratch.
    unsafe {
        // The first column of a row comes last, where its load also moves the row on.
        for (i, tap) in [1, 2, 0, 4, 5, 3, 7, 8, 6].into_iter().enumerate() {
            let eight = read(conv.weights.as_ptr().add(tap * channels + c));
            weights.add(2 * i).write(eight);
            weights.add(2 * i + 1).write(eight);
        }
        const FIRST: [usize; 4] = [0, 2, 1, 3];
        let lanes = |value: &dyn Fn(usize) -> i32| {
            FIRST.map(|i| {
                let (low, high) = (value(c + i), value(c + i + 4));
                [low, high, low, high]
            })
        };
        let mut line = Line {
            bias: lanes(&|c| *epilogue.bias.as_ptr().add(c)),
            multipliers: lanes(&|c| (*epilogue.multipliers.as_ptr().add(c) as i32) << 16),
            rows: [core::ptr::null(); 3],
            weights: weights.cast(),
            out: out.wrapping_add(c),
            step: channels,
            offset: epilogue.offset,
            left_shift: -((epilogue.shift & 31) as i32),
            lut: epilogue.lut.map_or(core::ptr::null(), |lut| lut.as_ptr()),
            width: out_w,
        };
        let mut slots = [lines, lines.wrapping_add(width), lines.wrapping_add(2 * width)];
        load(conv, input, slots[0], 0, c);
        load(conv, input, slots[1], 1, c);
        for y in 0..out_h {
            load(conv, input, slots[2], y + 2, c);
            line.rows = slots.map(|slot| slot.cast_const().cast());
            slots = [slots[1], slots[2], slots[0]];
            outputs(&line);
            line.out = line.out.wrapping_add(out_w * channels);
        }
    }
}

/// Copies padded row `row` of eight channels to `line`.
///
/// # Safety
/// The input is whole and `line` has room for the padded columns.
#[inline(never)]
unsafe fn load(conv: &Depthwise, input: *const i8, line: *mut u64, row: usize, c: usize) {
    let source = &conv.source;
    let width = conv.output[1] + 2;
    let y = row.wrapping_sub(conv.window.pad[0]);
    let zero = source.zero_point as u8 as u64 * 0x0101_0101_0101_0101;
    let inside = if y < source.height { source.width } else { 0 };
    let left = if conv.window.pad[1] < width { conv.window.pad[1] } else { width };
    let right = if left + inside < width { left + inside } else { width };
    let mut from = input.wrapping_add(y.wrapping_mul(source.width * source.channels).wrapping_add(c));
    // SAFETY: the caller's promise; columns from `left` to `right` are inside the input.
    unsafe {
        for column in 0..left {
            line.add(column).write(zero);
        }
        for column in right..width {
            line.add(column).write(zero);
        }
        for column in left..right {
            line.add(column).write(read(from));
            from = from.wrapping_add(source.channels);
        }
    }
}

/// Eight bytes, aligned to 4 or not.
#[inline(always)]
unsafe fn read(from: *const i8) -> u64 {
    // SAFETY: the caller passes eight readable bytes.
    unsafe { from.cast::<u64>().read_unaligned() }
}

/// Two taps: the i16 sums of bottom and top lanes in q6 and q4, then added to q0 to q3.
macro_rules! two_taps {
    ($first:literal, $second:literal) => {
        concat!(
            "vldrb.u8 q4, ",
            $first,
            "\n vldrb.u8 q5, [r4], #16\n vmullb.s8 q6, q4, q5\n vmullt.s8 q4, q4, q5\n",
            "vldrb.u8 q5, ",
            $second,
            "\n vldrb.u8 q7, [r4]\n vmullb.s8 q7, q5, q7\n vadd.i16 q6, q6, q7\n",
            "vldrb.u8 q7, [r4], #16\n vmullt.s8 q5, q5, q7\n vadd.i16 q4, q4, q5\n",
            widen_and_add!(),
        )
    };
}
macro_rules! widen_and_add {
    () => {
        concat!(
            "vmovlb.s16 q5, q6\n vadd.i32 q0, q0, q5\n vmovlt.s16 q6, q6\n vadd.i32 q1, q1, q6\n",
            "vmovlb.s16 q5, q4\n vadd.i32 q2, q2, q5\n vmovlt.s16 q4, q4\n vadd.i32 q3, q3, q4\n",
        )
    };
}
macro_rules! requantize {
    ($q:literal, $at:literal) => {
        concat!(
            "vldrw.u32 q4, [r0, #",
            $at,
            "]\n vmulh.s32 ",
            $q,
            ", ",
            $q,
            ", q4\n",
            "vadd.i32 ",
            $q,
            ", ",
            $q,
            ", r8\n vshl.s32 ",
            $q,
            ", r9\n",
        )
    };
}

/// # Safety
/// Everything that `line` points to is there, for at least one output; `out` is aligned to 4.
#[inline(never)]
unsafe fn outputs(line: &Line) {
    // SAFETY: the caller's promise; the offsets are those of the fields of `Line`. The callee-saved q4 to q7 are saved.
    unsafe {
        asm!(
            "vpush {{d8-d15}}",
            "add r12, r0, #128",
            "ldm r12!, {{r1, r2, r3}}",
            "ldr r5, [r0, #144]",
            "ldrd r8, r9, [r0, #152]",
            "ldrd r10, r11, [r0, #160]",
            "ldr r12, [r0, #148]",
            "2:",
            "vldrw.u32 q0, [r0]",
            "vldrw.u32 q1, [r0, #16]",
            "vldrw.u32 q2, [r0, #32]",
            "vldrw.u32 q3, [r0, #48]",
            "ldr r4, [r0, #140]",
            two_taps!("[r1, #8]", "[r1, #16]"),
            two_taps!("[r1], #16", "[r2, #8]"),
            two_taps!("[r2, #16]", "[r2], #16"),
            two_taps!("[r3, #8]", "[r3, #16]"),
            "vldrb.u8 q4, [r3], #16",
            "vldrb.u8 q5, [r4]",
            "vmullb.s8 q6, q4, q5",
            "vmullt.s8 q4, q4, q5",
            widen_and_add!(),
            requantize!("q0", "64"), requantize!("q1", "80"), requantize!("q2", "96"), requantize!("q3", "112"),
            "vqmovnb.s32 q0, q0",
            "vqmovnt.s32 q0, q1",
            "vqmovnb.s32 q2, q2",
            "vqmovnt.s32 q2, q3",
            "vqmovnb.s16 q0, q0",
            "vqmovnt.s16 q0, q2",
            "cmp r10, #0",
            "beq 3f",
            "movs r4, #128",
            "vadd.i8 q1, q0, r4",
            "vldrb.u8 q0, [r10, q1]",
            "3:",
            "vmov r4, lr, d0",
            "strd r4, lr, [r5]",
            "add r5, r12",
            "subs r11, #2",
            "blt 4f",
            "vmov r4, lr, d1",
            "strd r4, lr, [r5]",
            "add r5, r12",
            "bne 2b",
            "4:",
            "vpop {{d8-d15}}",
            in("r0") line,
            out("r1") _, out("r2") _, out("r3") _, out("r4") _, out("r5") _, out("r8") _, out("r9") _,
            out("r10") _, out("r11") _, out("r12") _, out("lr") _,
            out("d0") _, out("d1") _, out("d2") _, out("d3") _, out("d4") _, out("d5") _, out("d6") _, out("d7") _,
        );
    }
}
