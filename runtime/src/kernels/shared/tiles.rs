//! Dense convolution for the register-tile backends: patches into scratch, tiles over output channels. A backend
//! supplies the instructions by [`Isa`].
//!
//! # Patches
//!
//! For P output pixels the taps under the window are copied to scratch, four taps a block, as
//! [`Isa::widen`] has them, pixels interleaved:
//!
//! ```text
//!   taps 0–3                     taps 4–7
//!  | px 0 | px 1 | … | px P−1 | px 0 | px 1 | …
//! ```
//!
//! A weight word (four taps of one output channel) widened once then meets P pixels, and the patches
//! meet every output channel.

use super::requantize::Requantize;
use super::store::{align, store};
use crate::cores::Part;
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::scratch::{conv_scratch, pixel_tile, row_stride};
use crate::kernels::source::{Source, Window};
use core::ops::Range;

/// What an instruction set does better than the compiler.
pub trait Isa: Requantize + Sized {
    /// Four taps of a pixel in the patches: one word, or two when widened.
    type Block: Copy;

    /// Four i8 of a word as a block, as `dot4` and `dot2` multiply them.
    fn widen(values: u32) -> Self::Block;

    /// Writes `count` words as blocks, P blocks apart; returns where the next goes.
    ///
    /// # Safety
    /// `from` has `count` words, `dst` room for their blocks.
    #[inline(always)]
    unsafe fn blocks<const P: usize>(
        mut from: *const u32,
        mut dst: *mut Self::Block,
        count: usize,
    ) -> *mut Self::Block {
        // SAFETY: the caller's promise. Two words a turn.
        unsafe {
            let end = from.add(count);
            if count & 1 != 0 {
                dst.write(Self::widen(*from));
                (from, dst) = (from.add(1), dst.wrapping_add(P));
            }
            while from != end {
                dst.write(Self::widen(*from));
                dst.wrapping_add(P).write(Self::widen(*from.add(1)));
                (from, dst) = (from.add(2), dst.wrapping_add(2 * P));
            }
        }
        dst
    }

    /// Pixels a tile; 2 or 4.
    fn pixels(taps: usize) -> usize {
        pixel_tile(taps)
    }

    /// `bias + Σ row·patch` for four interleaved pixels.
    ///
    /// # Safety
    /// `row` has `blocks` words, `patch` has `4·blocks` blocks, both aligned to 4; `blocks ≥ 1`.
    unsafe fn dot4(_row: *const u32, _patch: *const Self::Block, _blocks: usize, bias: i32) -> [i32; 4] {
        [bias; 4]
    }

    /// `bias + Σ row·patch` for two interleaved pixels.
    ///
    /// # Safety
    /// Like `dot4`, but `patch` has `2·blocks` blocks.
    unsafe fn dot2(_row: *const u32, _patch: *const Self::Block, _blocks: usize, bias: i32) -> [i32; 2] {
        [bias; 2]
    }

    /// Whether `single` exists.
    const SINGLE: bool = false;

    /// Computes all output channels of pixel `pixel`.
    ///
    /// # Safety
    /// The slices of `conv` and `out` are whole; `patch` has `blocks` blocks, of one pixel.
    unsafe fn single(_conv: &Conv, _out: &mut Output, _patch: *const Self::Block, _blocks: usize, _pixel: usize) {}

    /// Whether `channels` has code.
    const CHANNELS: bool = false;

    /// Computes all output channels of `pixels` pixels from `first` on, of which `count` exist, where the set has code for
    /// that in one piece; else returns false without a change.
    ///
    /// # Safety
    /// The slices of `conv` and `out` are whole; `patch` has as many patches of `blocks` blocks.
    #[inline(always)]
    unsafe fn channels(
        _pixels: usize,
        _conv: &Conv,
        _out: &mut Output,
        _patch: *const Self::Block,
        _blocks: usize,
        _first: usize,
        _count: usize,
    ) -> bool {
        false
    }
}

/// `conv` by tiles; returns false without a change where tiles do not apply.
pub fn conv<I: Isa>(conv: &Conv, part: Part, out: &mut Output, scratch: &mut [i8]) -> bool {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let taps = conv.window.kernel[0] * conv.window.kernel[1] * channels;
    let (values, blocks) = (out_h * out_w * out_c, row_stride(taps) / 4);
    let fits = conv.groups == 1
        && blocks > 0
        && a.is_whole()
        && b.is_none_or(|s| s.is_whole())
        && conv.weights.len() >= out_c * row_stride(taps)
        && (conv.weights.as_ptr() as usize).is_multiple_of(4)
        && scratch.len() >= conv_scratch(taps)
        && conv.epilogue.is_whole(out_c, values, out);
    if !fits {
        return false;
    }
    // SAFETY: the slices have the lengths that the loops below walk, as just checked.
    unsafe {
        let (pixels, patch) = (I::pixels(taps), align(scratch).cast());
        if I::CHANNELS {
            tiles::<I, 0>(conv, part, out, patch, blocks, pixels);
        } else if pixels == 4 {
            tiles::<I, 4>(conv, part, out, patch, blocks, pixels);
        } else {
            tiles::<I, 2>(conv, part, out, patch, blocks, pixels);
        }
    }
    true
}

/// Every output pixel of the part, P at a time; where P is 0, `pixels` at a time, so that one piece of code does for both. The last
/// tile may compute pixels from an older patch; they are not stored.
///
/// # Safety
/// The slices of `conv` and `out` are whole, `patch` is aligned and has room for the patches of `blocks` blocks.
unsafe fn tiles<I: Isa, const P: usize>(
    conv: &Conv,
    part: Part,
    out: &mut Output,
    patch: *mut I::Block,
    blocks: usize,
    pixels: usize,
) {
    let [out_h, out_w, out_c] = conv.output;
    let tile = if P == 0 { pixels } else { P };
    let Range { start: mut first, end: pixels } = part.of(out_h * out_w, tile);
    let ways = Ways::of(conv);
    let mut y = first.checked_div(out_w).unwrap_or(0);
    let mut x = first - y * out_w;
    while first < pixels {
        let single = I::SINGLE && pixels - first < tile;
        let count = if single {
            1
        } else if pixels - first < tile {
            pixels - first
        } else {
            tile
        };
        for p in 0..count {
            // SAFETY: the caller's promise; p < tile.
            unsafe {
                if single {
                    gather_any::<I>(conv, ways, y, x, patch, 1);
                    I::single(conv, out, patch, blocks, first);
                } else {
                    gather::<I, P>(conv, ways, y, x, patch.add(p), tile);
                }
            }
            x += 1;
            if x == out_w {
                (x, y) = (0, y + 1);
            }
        }
        // SAFETY: the caller's promise.
        if single || unsafe { I::channels(tile, conv, out, patch, blocks, first, count) } {
            first += count;
            continue;
        }
        let mut row = conv.weights.as_ptr().cast::<u32>();
        for o in 0..out_c {
            // SAFETY: o < out_c, for which weights, bias, multipliers and outputs exist.
            unsafe {
                let bias = *conv.epilogue.bias.as_ptr().add(o);
                let mut acc = [0; P];
                if P == 4 {
                    acc.copy_from_slice(&I::dot4(row, patch, blocks, bias));
                } else if P == 2 {
                    acc.copy_from_slice(&I::dot2(row, patch, blocks, bias));
                }
                store::<I, P, 0>(&conv.epilogue, out, acc, count, o, first * out_c + o, out_c);
                row = row.add(blocks);
            }
        }
        first += count;
    }
}

/// How windows are copied.
#[derive(Clone, Copy)]
struct Ways {
    /// By words.
    aligned: bool,
    /// A row of taps at once, where it is inside the input.
    plain: bool,
    /// By `blocks`, where the window is inside the only input.
    inside: bool,
}

impl Ways {
    fn of(conv: &Conv) -> Self {
        let (a, b) = conv.sources;
        let words = |s: &Source| s.channels.is_multiple_of(4) && (s.data.as_ptr() as usize).is_multiple_of(4);
        let aligned = words(&a) && b.as_ref().is_none_or(words);
        let stored = b.is_none() && a.upsample == 0;
        Self { aligned, plain: stored && conv.window.dilation[1] == 1, inside: aligned && stored }
    }
}

/// Copies the window at output (y, x) to one pixel's place in the patches.
///
/// # Safety
/// The sources are whole, `dst` has room for a patch.
#[inline(always)]
unsafe fn gather<I: Isa, const P: usize>(
    conv: &Conv,
    ways: Ways,
    y: usize,
    x: usize,
    dst: *mut I::Block,
    pixels: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let Window { kernel, stride, pad, dilation } = conv.window;
        let a = &conv.sources.0;
        let (top, left) = ((y * stride[0]).wrapping_sub(pad[0]), (x * stride[1]).wrapping_sub(pad[1]));
        let inside = ways.inside
            && top < a.height
            && top + (kernel[0] - 1) * dilation[0] < a.height
            && left < a.width
            && left + (kernel[1] - 1) * dilation[1] < a.width;
        let from =
            a.data.as_ptr().wrapping_add((top.wrapping_mul(a.width).wrapping_add(left)).wrapping_mul(a.channels));
        match if P == 0 { pixels } else { P } {
            4 if inside => gather_inside::<I, 4>(conv, from, dst),
            2 if inside => gather_inside::<I, 2>(conv, from, dst),
            pixels => gather_any::<I>(conv, ways, y, x, dst, pixels),
        }
    }
}

/// `gather` for a window inside the only input, from `row` on.
///
/// # Safety
/// As for `gather`.
#[inline]
unsafe fn gather_inside<I: Isa, const P: usize>(conv: &Conv, mut row: *const i8, mut dst: *mut I::Block) {
    let Window { kernel, dilation, .. } = conv.window;
    let a = &conv.sources.0;
    let (columns, words) = if dilation[1] == 1 { (1, kernel[1] * a.channels / 4) } else { (kernel[1], a.channels / 4) };
    for _ in 0..kernel[0] {
        let mut from = row;
        for _ in 0..columns {
            // SAFETY: the caller's promise.
            dst = unsafe { I::blocks::<P>(from.cast(), dst, words) };
            from = from.wrapping_add(dilation[1] * a.channels);
        }
        row = row.wrapping_add(dilation[0] * a.width * a.channels);
    }
}

/// `gather` for any window, once for every distance of blocks.
///
/// # Safety
/// As for `gather`.
#[inline(never)]
unsafe fn gather_any<I: Isa>(conv: &Conv, ways: Ways, y: usize, x: usize, dst: *mut I::Block, pixels: usize) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let left = (x * stride[1]).wrapping_sub(pad[1]);
    let inside = ways.plain && left < a.width && left + kernel[1] <= a.width;
    let mut patch = Patch::<I> { dst, pixels, word: 0, filled: 0 };
    for ky in 0..kernel[0] {
        let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
        let (columns, sources) = if inside { (1, kernel[1]) } else { (kernel[1], 1) };
        for kx in 0..columns {
            let ix = left.wrapping_add(kx * dilation[1]);
            // SAFETY: the caller's promise.
            unsafe {
                patch.push(&a, iy, ix, a.channels * sources, ways.aligned);
                if let Some(b) = &b {
                    patch.push(b, iy, ix, b.channels, ways.aligned);
                }
            }
        }
    }
    if patch.filled > 0 {
        // SAFETY: the last, partial block is inside the patch.
        unsafe { patch.block(patch.word) };
    }
}

/// Where the next block of a patch goes.
struct Patch<I: Isa> {
    dst: *mut I::Block,
    /// Blocks from one to the next.
    pixels: usize,
    /// Bytes of an unfinished block, and how many bits they take.
    word: u32,
    filled: u32,
}

impl<I: Isa> Patch<I> {
    #[inline(always)]
    unsafe fn block(&mut self, word: u32) {
        // SAFETY: the patch has room for the block.
        unsafe { self.dst.write(I::widen(word)) };
        self.dst = self.dst.wrapping_add(self.pixels);
    }

    /// Appends `len` values of the source from pixel (y, x) on, or zero points in the padding.
    unsafe fn push(&mut self, source: &Source, y: usize, x: usize, len: usize, aligned: bool) {
        let (y, x) = (y >> (source.upsample & 1), x >> (source.upsample & 1));
        let padding = y >= source.height || x >= source.width;
        // SAFETY: a pixel inside the source; `len` values follow it.
        unsafe {
            let mut from = if padding {
                core::ptr::null()
            } else {
                source.data.as_ptr().add((y * source.width + x) * source.channels)
            };
            match (aligned, padding) {
                (true, true) => {
                    let zeros = I::widen(source.zero_point as u8 as u32 * 0x0101_0101);
                    for _ in 0..len / 4 {
                        self.dst.write(zeros);
                        self.dst = self.dst.wrapping_add(self.pixels);
                    }
                }
                (true, false) => {
                    let mut from = from.cast::<u32>();
                    let end = from.add(len / 4);
                    if len & 4 != 0 {
                        self.block(*from);
                        from = from.add(1);
                    }
                    while from != end {
                        self.block(*from);
                        self.block(*from.add(1));
                        from = from.add(2);
                    }
                }
                (false, _) => {
                    for _ in 0..len {
                        let value = if padding { source.zero_point } else { *from };
                        from = from.wrapping_add(1);
                        self.word |= (value as u8 as u32) << self.filled;
                        self.filled += 8;
                        if self.filled == 32 {
                            self.block(self.word);
                            (self.word, self.filled) = (0, 0);
                        }
                    }
                }
            }
        }
    }
}
