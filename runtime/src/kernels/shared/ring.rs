//! Depthwise convolution for the register-tile backends, four channels at a time.
//!
//! The input rows under the window are copied once to a ring of rows in scratch: padded, four channels a
//! column, widened by [`Spread::spread`] to two words. Every tap is then two words at a fixed distance,
//! no tap tests for a border, and the output may overwrite the input.
//!
//! ```text
//!   ring, 3×3 window            one output
//!   row y   | c0…3 | c0…3 | …    acc[0..4] += x[tap][0..4] · w[tap][0..4]
//!   row y+1 | c0…3 | c0…3 | …    over the 9 taps
//!   row y−1 | c0…3 | c0…3 | …
//! ```

use super::packing::{self, four};
use super::requantize::Requantize;
use super::store::{align, store};
use crate::cores::Part;
use crate::kernels::depthwise::{Depthwise, UNIT};
use crate::kernels::epilogue::{start_of, Output};
use crate::kernels::scratch::depthwise_scratch;
use crate::kernels::source::Window;
use core::cell::Cell;
use core::ops::Range;

/// Depthwise products, as an instruction set does them best.
pub trait Spread: Requantize {
    /// Four channels of i8 for the ring of a depthwise convolution.
    #[inline(always)]
    fn spread(values: u32) -> [u32; 2] {
        packing::halves(values)
    }

    /// `acc[c] += x[c]·w[c]` for four channels, both in `spread`'s order.
    ///
    /// # Safety
    /// `x` and `w` have two words.
    #[inline(always)]
    unsafe fn multiply_add(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
        // SAFETY: the caller's promise.
        unsafe { packing::multiply_add_halves(acc, x, w) }
    }

    /// Four channels of a row of outputs of a 3×3 depthwise convolution.
    ///
    /// # Safety
    /// What [`Line`] says.
    #[inline(always)]
    unsafe fn line3x3(line: &Line) {
        let Line { bias, multipliers, offset, shift, weights, end, step, lut, mut rows, mut out } = *line;
        while rows[0] != end {
            let mut acc = bias;
            for (ky, row) in rows.iter_mut().enumerate() {
                for kx in 0..3 {
                    // SAFETY: the caller's promise.
                    acc = unsafe { Self::multiply_add(acc, row.add(2 * kx), weights.add(6 * ky + 2 * kx)) };
                }
                *row = row.wrapping_add(2);
            }
            for (i, acc) in acc.into_iter().enumerate() {
                let q = Self::saturate(Self::scale(acc, multipliers[i], offset) >> (shift & 31));
                // SAFETY: the caller's promise; q is in −128..=127.
                unsafe { *out.add(i) = if lut.is_null() { q as i8 } else { *lut.offset(q as isize) } };
            }
            out = out.wrapping_add(step);
        }
    }
}

/// A row of outputs of four channels in a 3×3 depthwise convolution, and where everything is.
#[repr(C)]
pub struct Line {
    pub bias: [i32; 4],
    /// Aligned to 4.
    pub multipliers: [i16; 4],
    pub offset: i32,
    pub shift: u32,
    /// Nine taps of two words.
    pub weights: *const u32,
    /// Where `rows[0]` is after the last output.
    pub end: *const u32,
    /// Bytes from one output to the next.
    pub step: usize,
    /// The middle of the activation's table, or null.
    pub lut: *const i8,
    /// Where the window's rows start; each output reads three columns of two words and moves on by one.
    pub rows: [*const u32; 3],
    /// The first output; four bytes are written, `step` apart.
    pub out: *mut i8,
}

/// `conv` four channels at a time; returns false without a change where the slices do not fit the shapes.
pub fn depthwise<I: Spread>(conv: &Depthwise, part: Part, out: &[Cell<i8>], scratch: &mut [i8]) -> bool {
    let Window { kernel, stride, dilation, .. } = conv.window;
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let values = out_h * out_w * channels;
    let in_place = conv.source.data.is_empty() && out.len() >= conv.source.height * conv.source.width * channels;
    let fits = (conv.source.is_whole() || in_place)
        && conv.weights.len() >= kernel[0] * kernel[1] * channels
        && scratch.len() >= depthwise_scratch(&conv.window, out_w)
        && conv.epilogue.is_whole(channels, values, &Output::I8(out));
    if !fits {
        return false;
    }
    let ring = Ring::new(conv, out, align(scratch));
    let plain = kernel == [3, 3] && dilation == [1, 1] && stride == [1, 1] && conv.epilogue.residual.is_none();
    let Range { start, end } = part.of(channels, UNIT);
    for c in (start..end).step_by(4) {
        // SAFETY: the slices have the lengths that the loops below walk, as just checked.
        unsafe {
            if plain && channels - c >= 4 {
                ring.channels::<I, true>(conv, out, c);
            } else {
                ring.channels::<I, false>(conv, out, c);
            }
        }
    }
    true
}

struct Ring {
    /// Where the input is.
    input: *const i8,
    /// Two words a tap.
    weights: *mut u32,
    /// `height` rows of `width` columns of two words.
    lines: *mut u32,
    height: usize,
    width: usize,
}

impl Ring {
    fn new(conv: &Depthwise, out: &[Cell<i8>], scratch: *mut u32) -> Self {
        let [height, width] = conv.window.span(conv.output[1]);
        let taps = conv.window.kernel[0] * conv.window.kernel[1];
        let input = if conv.source.data.is_empty() { start_of(out).cast_const() } else { conv.source.data.as_ptr() };
        Ring { input, weights: scratch, lines: scratch.wrapping_add(2 * taps), height, width }
    }

    /// All outputs of channels c to c + 4, or to the last.
    ///
    /// # Safety
    /// The slices of `conv`, `out` and the scratch are whole. `PLAIN`: 3×3, not strided or dilated, all four
    /// channels exist, no residual.
    unsafe fn channels<I: Spread, const PLAIN: bool>(&self, conv: &Depthwise, out: &[Cell<i8>], c: usize) {
        let Window { kernel, stride, dilation, .. } = conv.window;
        let [out_h, out_w] = conv.output;
        let channels = conv.source.channels;
        let count = if channels - c < 4 { channels - c } else { 4 };
        let line = 2 * self.width;
        // SAFETY: the caller's promise; slots stay below `height`, columns below `width`.
        unsafe {
            for tap in 0..kernel[0] * kernel[1] {
                let [low, high] = I::spread(four(conv.weights.as_ptr().add(tap * channels + c), count));
                self.weights.add(2 * tap).write(low);
                self.weights.add(2 * tap + 1).write(high);
            }
            let epilogue = &conv.epilogue;
            let mut job = Line {
                bias: [0; 4],
                multipliers: [0; 4],
                offset: epilogue.offset,
                shift: epilogue.shift as u32,
                weights: self.weights,
                end: core::ptr::null(),
                step: channels,
                lut: epilogue.lut.map_or(core::ptr::null(), |lut| lut.as_ptr().wrapping_add(128)),
                rows: [core::ptr::null(); 3],
                out: core::ptr::null_mut(),
            };
            for i in 0..count {
                job.bias[i & 3] = *epilogue.bias.as_ptr().add(c + i);
                job.multipliers[i & 3] = *epilogue.multipliers.as_ptr().add(c + i);
            }
            // Rows are counted from the first padded one; `fill` is the slot of the next to load.
            let (mut loaded, mut fill, mut top) = (0, 0, 0);
            for y in 0..out_h {
                while loaded < y * stride[0] + self.height {
                    self.load::<I>(conv, self.lines.add(fill * line), loaded, c, count);
                    fill = if fill + 1 == self.height { 0 } else { fill + 1 };
                    loaded += 1;
                }
                let slot = |ky: usize| {
                    let slot = top + ky * dilation[0];
                    self.lines.add(line * if slot >= self.height { slot - self.height } else { slot }).cast_const()
                };
                let mut index = y * out_w * channels + c;
                if PLAIN {
                    job.rows = [slot(0), slot(1), slot(2)];
                    job.end = job.rows[0].add(2 * out_w);
                    job.out = start_of(out).add(index);
                    I::line3x3(&job);
                } else {
                    let mut out = Output::I8(out);
                    for x in 0..out_w {
                        let (mut acc, mut weights) = (job.bias, job.weights);
                        for ky in 0..kernel[0] {
                            let mut row = slot(ky).add(2 * x * stride[1]);
                            for _ in 0..kernel[1] {
                                acc = I::multiply_add(acc, row, weights);
                                weights = weights.add(2);
                                row = row.wrapping_add(2 * dilation[1]);
                            }
                        }
                        store::<I, 4, 1>(&conv.epilogue, &mut out, acc, count, c, index, 1);
                        index += channels;
                    }
                }
                top += stride[0];
                while top >= self.height {
                    top -= self.height;
                }
            }
        }
    }

    /// Copies padded row `row` of four channels to `line`.
    ///
    /// # Safety
    /// The input is whole and `line` has room for `width` columns.
    unsafe fn load<I: Spread>(&self, conv: &Depthwise, line: *mut u32, row: usize, c: usize, count: usize) {
        let source = &conv.source;
        let up = source.upsample & 1;
        let y = row.wrapping_sub(conv.window.pad[0]) >> up;
        let zero = I::spread(source.zero_point as u8 as u32 * 0x0101_0101);
        let aligned = count == 4 && source.channels.is_multiple_of(4) && (self.input as usize).is_multiple_of(4);
        let inside = if y < source.height { source.width << up } else { 0 };
        let left = if conv.window.pad[1] < self.width { conv.window.pad[1] } else { self.width };
        let right = if left + inside < self.width { left + inside } else { self.width };
        let mut from = self.input.wrapping_add(y.wrapping_mul(source.width * source.channels).wrapping_add(c));
        // SAFETY: the caller's promise; columns from `left` to `right` are inside the input.
        unsafe {
            let put = |column: usize, [low, high]: [u32; 2]| {
                line.add(2 * column).write(low);
                line.add(2 * column + 1).write(high);
            };
            (0..left).for_each(|column| put(column, zero));
            (right..self.width).for_each(|column| put(column, zero));
            if aligned && up == 0 {
                for column in left..right {
                    put(column, I::spread(*from.cast::<u32>()));
                    from = from.wrapping_add(source.channels);
                }
            } else {
                for column in left..right {
                    let pixel = from.add(((column - left) >> up) * source.channels);
                    put(column, I::spread(four(pixel, count)));
                }
            }
        }
    }
}
