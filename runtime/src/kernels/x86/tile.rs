//! Dense convolution with AVX-512 VNNI and VBMI.
//!
//! The padded input is copied once, every value plus 128, so that it is unsigned for `vpdpbusd` and a window's row is one
//! run of bytes. The weights of up to 48 output channels are turned, by 16 × 16 transpositions, so that one register holds
//! four taps of sixteen channels. The register tile, seven pixels by three registers of channels, four taps a turn:
//!
//! ```text
//!               weights    channels 0…15     16…31      32…47
//!                          taps 0…3 each     0…3        0…3
//!   pixel 0   x3 x2 x1 x0    vpdpbusd      vpdpbusd   vpdpbusd      the four inputs in all lanes, vpbroadcastd
//!     …
//!   pixel 6   x3 x2 x1 x0    vpdpbusd      vpdpbusd   vpdpbusd      21 accumulators of 16 channels
//! ```
//!
//! 31 instructions for 1,344 products. A pixel's sixteen channels are then requantized, looked up and stored at a time.
//! Sums start at `bias − 128·Σw`, which takes back what the 128 added.

use super::lanes::{scale, transpose, Table};
use crate::cores::Part;
use crate::kernels::conv::{Conv, UNIT};
use crate::kernels::epilogue::{start_of, Output, Residual};
use crate::kernels::scratch::row_stride;
use crate::kernels::source::Source;
use core::arch::x86_64::*;
use core::mem::MaybeUninit;
use core::ops::Range;
use std::is_x86_feature_detected;

/// Output pixels of a tile: rows of 7, 14 and 28 are whole tiles.
const PIXELS: usize = 7;
/// Bytes of the largest padded input.
const INPUT: usize = 1 << 16;
/// Registers of the largest group of output channels' weights.
const WEIGHTS: usize = 1 << 10;

/// Whether the processor has what this file uses.
pub fn is_supported() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
        && is_x86_feature_detected!("avx512vbmi")
}

/// Like [`conv::portable`](crate::kernels::conv::portable); returns false without a change where these tiles do not
/// apply.
pub fn conv(conv: &Conv, part: Part, out: &mut Output) -> bool {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let window = &conv.window;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let taps = window.kernel[0] * window.kernel[1] * channels;
    if !is_supported() || conv.groups != 1 || window.dilation != [1, 1] || taps == 0 || out_h * out_w * out_c == 0 {
        return false;
    }
    let [height, _] = window.span(out_w);
    let rows = (out_h - 1) * window.stride[0] + height;
    let pitch = ((out_w - 1) * window.stride[1] + window.kernel[1]) * channels;
    // Runs of taps without a gap in the weights' words: the whole window, or row by row where those do not end with a word.
    let run = window.kernel[1] * channels;
    let words = window.kernel[0] * run.div_ceil(4);
    let fits = rows * pitch + 64 <= INPUT
        && words <= WEIGHTS
        && a.is_whole()
        && b.is_none_or(|s| s.is_whole())
        && conv.weights.len() >= out_c * row_stride(taps)
        && conv.epilogue.is_whole(out_c, out_h * out_w * out_c, out);
    if fits {
        let mut input = MaybeUninit::<[u8; INPUT]>::uninit();
        let mut weights = MaybeUninit::<[__m512i; WEIGHTS]>::uninit();
        let input = input.as_mut_ptr().cast::<u8>();
        // SAFETY: the processor has the instructions; the slices are whole and the rooms large enough, as just checked.
        unsafe {
            copy_input(conv, input, rows, pitch);
            let layer = Layer { conv, input, weights: weights.as_mut_ptr().cast(), pitch, channels, run };
            let mut first = 0;
            while first < out_c {
                let left = (out_c - first).div_ceil(16);
                let room = WEIGHTS / words;
                first += 16
                    * match if left < room { left } else { room } {
                        1 => layer.group::<1>(part, out, first),
                        2 => layer.group::<2>(part, out, first),
                        _ => layer.group::<3>(part, out, first),
                    };
            }
        }
    }
    fits
}

/// Copies the input with its padding, every value plus 128, to `to`, and 64 zeros behind it.
///
/// # Safety
/// The processor has AVX-512; the sources are whole; `to` has room for `rows·pitch + 64` bytes.
#[target_feature(enable = "avx512f,avx512bw")]
unsafe fn copy_input(conv: &Conv, mut to: *mut u8, rows: usize, pitch: usize) {
    let (a, b) = conv.sources;
    let [pad_y, pad_x] = conv.window.pad;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let columns = pitch.checked_div(channels).unwrap_or(0);
    let joined = b.is_none() && a.upsample == 0;
    for row in 0..rows {
        let y = row.wrapping_sub(pad_y);
        let mut column = 0;
        while column < columns {
            let x = column.wrapping_sub(pad_x);
            let pixels = if joined && x < a.width {
                if columns - column < a.width - x {
                    columns - column
                } else {
                    a.width - x
                }
            } else {
                1
            };
            // SAFETY: the caller's promise: `pixels` of the source follow (y, x), or it is padding.
            unsafe {
                to = push(&a, y, x, a.channels * pixels, to);
                if let Some(b) = &b {
                    to = push(b, y, x, b.channels, to);
                }
            }
            column += pixels;
        }
    }
    // SAFETY: the room behind the rows.
    unsafe { _mm512_storeu_si512(to.cast(), _mm512_setzero_si512()) };
}

/// Copies `len` values from pixel (y, x) on, or zero points in the padding, plus 128; returns where the next go.
///
/// # Safety
/// The processor has AVX-512; the source has the values, `to` has room for them and 64 bytes more, which may be written.
#[target_feature(enable = "avx512f,avx512bw")]
#[inline]
unsafe fn push(source: &Source, y: usize, x: usize, len: usize, to: *mut u8) -> *mut u8 {
    let (y, x) = (y >> (source.upsample & 1), x >> (source.upsample & 1));
    let inside = y < source.height && x < source.width;
    let sign = _mm512_set1_epi8(-128);
    let mut at = 0;
    while at < len {
        // SAFETY: the caller's promise; the mask ends with the values.
        unsafe {
            let block = if inside {
                let from = source.data.as_ptr().add((y * source.width + x) * source.channels + at);
                _mm512_maskz_loadu_epi8(lanes(len - at), from)
            } else {
                _mm512_set1_epi8(source.zero_point)
            };
            _mm512_storeu_si512(to.add(at).cast(), _mm512_xor_si512(block, sign));
        }
        at += 64;
    }
    to.wrapping_add(len)
}

/// A mask of the first `count` of 64 lanes.
#[inline(always)]
fn lanes(count: usize) -> u64 {
    if count < 64 {
        (1 << count) - 1
    } else {
        u64::MAX
    }
}

/// A convolution and its input, ready for the products.
struct Layer<'a> {
    conv: &'a Conv<'a>,
    /// What [`copy_input`] wrote.
    input: *const u8,
    /// Room for the weights of a group of channels.
    weights: *mut __m512i,
    /// Bytes of a row of the input.
    pitch: usize,
    /// Bytes of a pixel of the input.
    channels: usize,
    /// Bytes of a row of the window.
    run: usize,
}

/// How `V` registers of channels are requantized.
struct Finish<const V: usize> {
    /// What sums start from.
    start: [__m512i; V],
    /// Multipliers of the even and of the odd channels, in the lower halves of 64-bit lanes.
    multipliers: [[__m512i; 2]; V],
    /// The channels that exist.
    masks: [u16; V],
}

impl Layer<'_> {
    /// The part's pixels of `16·V` output channels from `first` on, or of as many as there are; returns `V`.
    ///
    /// # Safety
    /// The processor has the instructions; the layer is whole, its rooms large enough for `V` registers a word.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    unsafe fn group<const V: usize>(&self, part: Part, out: &mut Output, first: usize) -> usize {
        let [out_h, out_w, out_c] = self.conv.output;
        let [down, across] = self.conv.window.stride;
        // SAFETY: the caller's promise; every pixel's window is inside the input.
        unsafe {
            let finish = self.turn_weights::<V>(first);
            let Range { start: mut done, end } = part.of(out_h * out_w, UNIT);
            let mut y = done.checked_div(out_w).unwrap_or(0);
            let mut x = done - y * out_w;
            while done < end {
                let count = if end - done < PIXELS { end - done } else { PIXELS };
                // Where fewer are left, the others are the image's first.
                let mut pixels = [self.input; PIXELS];
                for pixel in pixels.iter_mut().take(count) {
                    *pixel = self.input.add(y * down * self.pitch + x * across * self.channels);
                    x += 1;
                    if x == out_w {
                        (x, y) = (0, y + 1);
                    }
                }
                let acc = self.products(&finish.start, pixels);
                self.store(&finish, &acc, count, out, done * out_c + first);
                done += count;
            }
        }
        V
    }

    /// Writes the weights of `V` registers of channels, word by word, to `self.weights`.
    ///
    /// # Safety
    /// As for [`group`](Self::group).
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    unsafe fn turn_weights<const V: usize>(&self, first: usize) -> Finish<V> {
        let zero = _mm512_setzero_si512();
        let mut finish = Finish { start: [zero; V], multipliers: [[zero; 2]; V], masks: [0; V] };
        let kernel_h = self.conv.window.kernel[0];
        let stride = row_stride(kernel_h * self.run);
        let epilogue = &self.conv.epilogue;
        let (runs, run) = if self.run.is_multiple_of(4) { (1, kernel_h * self.run) } else { (kernel_h, self.run) };
        for v in 0..V {
            let channel = first + 16 * v;
            let left = self.conv.output[2] - channel;
            let count = if left < 16 { left } else { 16 };
            let mut sums = zero;
            let mut word = 0;
            for start in 0..runs {
                let mut at = 0;
                while at < run {
                    let mut block = [zero; 16];
                    for (c, row) in block.iter_mut().enumerate().take(count) {
                        // SAFETY: a row of weights that exists; the mask ends with its run.
                        unsafe {
                            let from = self.conv.weights.as_ptr().add((channel + c) * stride + start * run + at);
                            *row = _mm512_maskz_loadu_epi8(lanes(run - at), from);
                        }
                    }
                    let words = (run - at).div_ceil(4);
                    for taps in transpose(block).into_iter().take(words) {
                        sums = _mm512_dpbusd_epi32(sums, _mm512_set1_epi8(-128), taps);
                        // SAFETY: the room holds `V` registers for each of the window's words.
                        unsafe { self.weights.add(word * V + v).write(taps) };
                        word += 1;
                    }
                    at += 64;
                }
            }
            let mask = ((1u32 << count) - 1) as u16;
            // SAFETY: `count` channels follow, each with a bias and a multiplier.
            unsafe {
                let bias = _mm512_maskz_loadu_epi32(mask, epilogue.bias.as_ptr().add(channel));
                let multipliers = _mm256_maskz_loadu_epi16(mask, epilogue.multipliers.as_ptr().add(channel));
                let multipliers = _mm512_cvtepi16_epi32(multipliers);
                finish.start[v] = _mm512_sub_epi32(bias, sums);
                finish.multipliers[v] = [multipliers, _mm512_srli_epi64::<32>(multipliers)];
            }
            finish.masks[v] = mask;
        }
        finish
    }

    /// The sums of seven pixels, whose windows start at `pixels`.
    ///
    /// # Safety
    /// As for [`group`](Self::group); the windows are inside the input, the weights are turned.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    #[inline]
    unsafe fn products<const V: usize>(&self, start: &[__m512i; V], pixels: [*const u8; PIXELS]) -> Tile<V> {
        let mut acc = [*start; PIXELS];
        let mut weights = self.weights.cast_const();
        for ky in 0..self.conv.window.kernel[0] {
            let mut at = ky * self.pitch;
            let end = at + self.run;
            while at < end {
                // SAFETY: words of the window; the last may reach beyond, into the next row or the 64 zeros, and meets
                // zero weights there.
                unsafe {
                    let w = weights.cast::<[__m512i; V]>().read();
                    for p in 0..PIXELS {
                        let x = _mm512_set1_epi32(pixels[p].add(at).cast::<i32>().read_unaligned());
                        for v in 0..V {
                            acc[p][v] = _mm512_dpbusd_epi32(acc[p][v], x, w[v]);
                        }
                    }
                    weights = weights.add(V);
                }
                at += 4;
            }
        }
        acc
    }

    /// Requantizes the sums of `count` pixels into `out`, the first at `index`.
    ///
    /// # Safety
    /// As for [`group`](Self::group); these outputs exist.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni,avx512vbmi")]
    #[inline]
    unsafe fn store<const V: usize>(
        &self,
        finish: &Finish<V>,
        acc: &Tile<V>,
        count: usize,
        out: &mut Output,
        index: usize,
    ) {
        let epilogue = &self.conv.epilogue;
        let offset = _mm512_set1_epi32(epilogue.offset);
        let shift = _mm_cvtsi32_si128(epilogue.shift as i32 & 31);
        let residual = epilogue.residual.unwrap_or(Residual { data: None, multiplier: 0, shift: 0 });
        let residual_multiplier = _mm512_set1_epi32(residual.multiplier as u16 as i32);
        let residual_shift = _mm_cvtsi32_si128(residual.shift as i32 & 31);
        let table = epilogue.lut.map(|lut| Table::new(lut));
        for (p, acc) in acc.iter().enumerate().take(count) {
            for (v, acc) in acc.iter().enumerate() {
                let (at, mask) = (index + p * self.conv.output[2] + 16 * v, finish.masks[v]);
                let mut q = _mm512_add_epi32(scale(*acc, finish.multipliers[v]), offset);
                // SAFETY: the mask ends with the channels, whose outputs and residuals exist.
                unsafe {
                    match out {
                        Output::I8(out) => {
                            let out = start_of(out).add(at);
                            if epilogue.residual.is_some() {
                                let from = residual.data.map_or(out.cast_const(), |data| data.as_ptr().add(at));
                                let values = _mm512_cvtepi8_epi32(_mm_maskz_loadu_epi8(mask, from));
                                // The upper halves of `residual_multiplier` are zero: one 16-bit product a lane.
                                let products = _mm512_madd_epi16(values, residual_multiplier);
                                q = _mm512_add_epi32(q, _mm512_sra_epi32(products, residual_shift));
                            }
                            let mut q = _mm512_cvtsepi32_epi8(_mm512_sra_epi32(q, shift));
                            if let Some(table) = &table {
                                q = _mm512_castsi512_si128(table.look_up(_mm512_castsi128_si512(q)));
                            }
                            _mm_mask_storeu_epi8(out, mask, q);
                        }
                        Output::I16(out) => {
                            let q = _mm512_cvtsepi32_epi16(_mm512_sra_epi32(q, shift));
                            _mm256_mask_storeu_epi16(start_of(out).add(at), mask, q);
                        }
                    }
                }
            }
        }
    }
}

/// The accumulators: of each pixel, `V` registers of 16 channels.
type Tile<const V: usize> = [[__m512i; V]; PIXELS];
