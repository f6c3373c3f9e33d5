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
use crate::kernels::conv::Conv;
use crate::kernels::epilogue::Output;
use crate::kernels::scratch::{conv_scratch, pixel_tile, row_stride};
use crate::kernels::source::{Source, Window};

/// What an instruction set does better than the compiler.
pub trait Isa: Requantize + Sized {
    /// Four taps of a pixel in the patches: one word, or two when widened.
    type Block: Copy;

    /// Four i8 of a word as a block, as `dot4` and `dot2` multiply them.
    fn widen(values: u32) -> Self::Block;

    /// Whether `blocks` copies a patch's words better than one after the other.
    const BLOCKS: bool = false;

    /// Writes `count` words as blocks, P blocks apart; returns where the next goes.
    ///
    /// # Safety
    /// `from` has `count` words, `dst` room for their blocks; for sets that say so by `BLOCKS`.
    unsafe fn blocks<const P: usize>(_from: *const u32, dst: *mut Self::Block, _count: usize) -> *mut Self::Block {
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

    /// Computes all output channels of P pixels from `first` on, of which `count` exist, where the set has code for
    /// that in one piece; else returns false without a change.
    ///
    /// # Safety
    /// The slices of `conv` and `out` are whole; `patch` has P patches of `blocks` blocks.
    #[inline(always)]
    unsafe fn channels<const P: usize>(
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
pub fn conv<I: Isa>(conv: &Conv, out: &mut Output, scratch: &mut [i8]) -> bool {
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
        if I::pixels(taps) == 4 {
            tiles::<I, 4>(conv, out, align(scratch).cast(), blocks);
        } else {
            tiles::<I, 2>(conv, out, align(scratch).cast(), blocks);
        }
    }
    true
}

/// Every output pixel, P at a time. The last tile may compute pixels from an older patch; they are not stored.
///
/// # Safety
/// The slices of `conv` and `out` are whole, `patch` is aligned and has room for P patches of `blocks` blocks.
unsafe fn tiles<I: Isa, const P: usize>(conv: &Conv, out: &mut Output, patch: *mut I::Block, blocks: usize) {
    let [out_h, out_w, out_c] = conv.output;
    let pixels = out_h * out_w;
    let ways = Ways::of(conv);
    let (mut x, mut y, mut first) = (0, 0, 0);
    while first < pixels {
        let single = I::SINGLE && pixels - first < P;
        let count = if single {
            1
        } else if pixels - first < P {
            pixels - first
        } else {
            P
        };
        for p in 0..count {
            // SAFETY: the caller's promise; p < P.
            unsafe {
                if single {
                    gather::<I, 1>(conv, ways, y, x, patch);
                    I::single(conv, out, patch, blocks, first);
                } else {
                    gather::<I, P>(conv, ways, y, x, patch.add(p));
                }
            }
            x += 1;
            if x == out_w {
                (x, y) = (0, y + 1);
            }
        }
        // SAFETY: the caller's promise.
        if single || unsafe { I::channels::<P>(conv, out, patch, blocks, first, count) } {
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
                } else {
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
}

impl Ways {
    fn of(conv: &Conv) -> Self {
        let (a, b) = conv.sources;
        let words = |s: &Source| s.channels.is_multiple_of(4) && (s.data.as_ptr() as usize).is_multiple_of(4);
        Self {
            aligned: words(&a) && b.as_ref().is_none_or(words),
            plain: b.is_none() && a.upsample == 0 && conv.window.dilation[1] == 1,
        }
    }
}

/// Copies the window at output (y, x) to one pixel's place in the patches.
///
/// # Safety
/// The sources are whole, `dst` has room for a patch.
unsafe fn gather<I: Isa, const P: usize>(conv: &Conv, ways: Ways, y: usize, x: usize, dst: *mut I::Block) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let left = (x * stride[1]).wrapping_sub(pad[1]);
    let inside = ways.plain && left < a.width && left + kernel[1] <= a.width;
    let mut patch = Patch::<I, P> { dst, word: 0, filled: 0 };
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
struct Patch<I: Isa, const P: usize> {
    dst: *mut I::Block,
    /// Bytes of an unfinished block, and how many bits they take.
    word: u32,
    filled: u32,
}

impl<I: Isa, const P: usize> Patch<I, P> {
    #[inline(always)]
    unsafe fn block(&mut self, word: u32) {
        // SAFETY: the patch has room for the block.
        unsafe { self.dst.write(I::widen(word)) };
        self.dst = self.dst.wrapping_add(P);
    }

    /// Appends `len` values of the source from pixel (y, x) on, or zero points in the padding.
    #[inline(always)]
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
                        self.dst = self.dst.wrapping_add(P);
                    }
                }
                (true, false) if I::BLOCKS => self.dst = I::blocks::<P>(from.cast(), self.dst, len / 4),
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
