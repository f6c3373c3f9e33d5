//! Depthwise convolution for the register-tile backends, four channels at a time.
//!
//! The input rows under the window are copied once to a ring of rows in scratch: padded, four channels a
//! column, widened by [`Isa::spread`] to two words. Every tap is then two words at a fixed distance,
//! no tap tests for a border, and the output may overwrite the input.
//!
//! ```text
//!   ring, 3×3 window            one output
//!   row y   | c0…3 | c0…3 | …    acc[0..4] += x[tap][0..4] · w[tap][0..4]
//!   row y+1 | c0…3 | c0…3 | …    over the 9 taps
//!   row y−1 | c0…3 | c0…3 | …
//! ```

use super::tiled::{align, store, Isa};
use super::{depthwise_scratch, Depthwise, Output, Window};

/// `conv` four channels at a time; returns false without a change where the slices do not fit the shapes.
pub(super) fn depthwise<I: Isa>(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) -> bool {
    let Window { kernel, stride, dilation, .. } = conv.window;
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let values = out_h * out_w * channels;
    let in_place = conv.source.data.is_empty() && out.len() >= conv.source.height * conv.source.width * channels;
    let fits = (conv.source.is_whole() || in_place)
        && conv.weights.len() >= kernel[0] * kernel[1] * channels
        && scratch.len() >= depthwise_scratch(&conv.window, out_w)
        && conv.epilogue.is_whole(channels, values, &Output::I8(&mut *out));
    if !fits {
        return false;
    }
    let ring = Ring::new(conv, out, align(scratch));
    let plain = kernel == [3, 3] && dilation == [1, 1] && stride == [1, 1];
    for c in (0..channels).step_by(4) {
        // SAFETY: the slices have the lengths that the loops below walk, as just checked.
        unsafe {
            if plain {
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
    fn new(conv: &Depthwise, out: &[i8], scratch: *mut u32) -> Self {
        let [height, width] = conv.window.span(conv.output[1]);
        let taps = conv.window.kernel[0] * conv.window.kernel[1];
        let input = if conv.source.data.is_empty() { out.as_ptr() } else { conv.source.data.as_ptr() };
        Ring { input, weights: scratch, lines: scratch.wrapping_add(2 * taps), height, width }
    }

    /// All outputs of channels c to c + 4, or to the last.
    ///
    /// # Safety
    /// The slices of `conv`, `out` and the scratch are whole. `PLAIN`: 3×3, not strided or dilated.
    unsafe fn channels<I: Isa, const PLAIN: bool>(&self, conv: &Depthwise, out: &mut [i8], c: usize) {
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
            let mut bias = [0; 4];
            for (i, b) in bias.iter_mut().enumerate().take(count) {
                *b = *conv.epilogue.bias.as_ptr().add(c + i);
            }
            // Rows are counted from the first padded one; `fill` is the slot of the next to load.
            let (mut loaded, mut fill, mut top) = (0, 0, 0);
            for y in 0..out_h {
                while loaded < y * stride[0] + self.height {
                    self.load::<I>(conv, self.lines.add(fill * line), loaded, c, count);
                    fill = if fill + 1 == self.height { 0 } else { fill + 1 };
                    loaded += 1;
                }
                let mut index = y * out_w * channels + c;
                let slot = |ky: usize| {
                    let slot = top + ky * dilation[0];
                    self.lines.add(line * if slot >= self.height { slot - self.height } else { slot })
                };
                let mut out = Output::I8(&mut *out);
                let mut rows = if PLAIN { [slot(0), slot(1), slot(2)] } else { [self.lines; 3] };
                for x in 0..out_w {
                    let mut acc = bias;
                    if PLAIN {
                        for (ky, row) in rows.iter_mut().enumerate() {
                            for kx in 0..3 {
                                acc = tap::<I>(acc, row.add(2 * kx), self.weights.add(6 * ky + 2 * kx));
                            }
                            *row = row.add(2);
                        }
                    } else {
                        let mut weights = self.weights;
                        for ky in 0..kernel[0] {
                            let mut row = slot(ky).add(2 * x * stride[1]);
                            for _ in 0..kernel[1] {
                                acc = tap::<I>(acc, row, weights);
                                weights = weights.add(2);
                                row = row.wrapping_add(2 * dilation[1]);
                            }
                        }
                    }
                    store::<I, 4, 1>(&conv.epilogue, &mut out, acc, count, c, index, 1);
                    index += channels;
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
    unsafe fn load<I: Isa>(&self, conv: &Depthwise, line: *mut u32, row: usize, c: usize, count: usize) {
        let source = &conv.source;
        let up = source.upsample & 1;
        let y = row.wrapping_sub(conv.window.pad[0]) >> up;
        let [zero_low, zero_high] = I::spread(source.zero_point as u8 as u32 * 0x0101_0101);
        let from = self.input.wrapping_add(y.wrapping_mul(source.width * source.channels).wrapping_add(c));
        let aligned = count == 4 && source.channels % 4 == 0 && self.input as usize % 4 == 0;
        let columns = if y < source.height { source.width << up } else { 0 };
        let mut to = line;
        for column in 0..self.width {
            let x = column.wrapping_sub(conv.window.pad[1]);
            // SAFETY: the caller's promise; (y, x) is inside the input where it is read.
            unsafe {
                let [low, high] = if x < columns {
                    let pixel = from.add((x >> up) * source.channels);
                    I::spread(if aligned { *pixel.cast::<u32>() } else { four(pixel, count) })
                } else {
                    [zero_low, zero_high]
                };
                to.write(low);
                to.add(1).write(high);
                to = to.add(2);
            }
        }
    }
}

#[inline(always)]
unsafe fn tap<I: Isa>(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4] {
    // SAFETY: the caller passes two words in the ring and in the weights.
    unsafe { I::multiply_add(acc, [*x, *x.add(1)], [*w, *w.add(1)]) }
}

/// `count` ≤ 4 bytes as a word, zeros above.
#[inline(always)]
unsafe fn four(from: *const i8, count: usize) -> u32 {
    let mut word = 0;
    for i in 0..count {
        // SAFETY: the caller passes `count` readable bytes.
        word |= unsafe { *from.add(i) as u8 as u32 } << (8 * i);
    }
    word
}
