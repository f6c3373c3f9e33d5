//! The loops that the register-tile backends share: patches into scratch, tiles over output channels,
//! depthwise through a ring of rows. A backend supplies the instructions by [`Isa`].
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

use super::{conv_scratch, pixel_tile, row_stride, Conv, Epilogue, Output, Residual, Source, Window};

/// Requantization, as an instruction set does it best.
pub(super) trait Requantize {
    /// `scale(acc, multiplier) + offset`.
    fn scale(acc: i32, multiplier: i16, offset: i32) -> i32;

    /// Clamps to the i8 range.
    fn saturate(q: i32) -> i32;
}

/// What an instruction set does better than the compiler.
pub(super) trait Isa: Requantize {
    /// Four taps of a pixel in the patches: one word, or two when widened.
    type Block: Copy;

    /// Four i8 of a word as a block, as `dot4` and `dot2` multiply them.
    fn widen(values: u32) -> Self::Block;

    /// Pixels a tile; 2 or 4.
    fn pixels(taps: usize) -> usize {
        pixel_tile(taps)
    }

    /// Whether `dot4x4` exists.
    const FOUR_CHANNELS: bool = false;

    /// `bias + Σ row·patch` for four interleaved pixels.
    ///
    /// # Safety
    /// `row` has `blocks` words, `patch` has `4·blocks` blocks, both aligned to 4; `blocks ≥ 1`.
    unsafe fn dot4(row: *const u32, patch: *const Self::Block, blocks: usize, bias: i32) -> [i32; 4];

    /// `bias + Σ row·patch` for two interleaved pixels.
    ///
    /// # Safety
    /// Like `dot4`, but `patch` has `2·blocks` blocks.
    unsafe fn dot2(row: *const u32, patch: *const Self::Block, blocks: usize, bias: i32) -> [i32; 2];

    /// `bias[c] + Σ rows[c]·patch` for four channels, whose rows follow one another, and four pixels.
    ///
    /// # Safety
    /// Like `dot4` for each of the rows; `bias` has four values.
    unsafe fn dot4x4(
        _rows: *const u32,
        _patch: *const Self::Block,
        _blocks: usize,
        _bias: *const i32,
    ) -> [[i32; 4]; 4] {
        [[0; 4]; 4]
    }

    /// Four channels of i8 for the ring of a depthwise convolution.
    fn spread(values: u32) -> [u32; 2];

    /// `acc[c] += x[c]·w[c]` for four channels, both in `spread`'s order.
    ///
    /// # Safety
    /// `x` and `w` have two words.
    unsafe fn multiply_add(acc: [i32; 4], x: *const u32, w: *const u32) -> [i32; 4];

    /// Four channels of a row of outputs of a 3×3 depthwise convolution.
    ///
    /// # Safety
    /// What [`Line`] says.
    #[inline(always)]
    unsafe fn line3x3(line: &Line) {
        let Line { mut rows, weights, end, mut out, step, .. } = *line;
        while rows[0] != end {
            let mut acc = line.bias;
            for (ky, row) in rows.iter_mut().enumerate() {
                for kx in 0..3 {
                    // SAFETY: the caller's promise.
                    acc = unsafe { Self::multiply_add(acc, row.add(2 * kx), weights.add(6 * ky + 2 * kx)) };
                }
                *row = row.wrapping_add(2);
            }
            for (i, acc) in acc.into_iter().enumerate() {
                let q = Self::saturate(Self::scale(acc, line.multipliers[i], line.offset) >> (line.shift & 31));
                // SAFETY: the caller's promise; q is in −128..=127.
                unsafe { *out.add(i) = if line.lut.is_null() { q as i8 } else { *line.lut.offset(q as isize) } };
            }
            out = out.wrapping_add(step);
        }
    }
}

/// A row of outputs of four channels in a 3×3 depthwise convolution, and where everything is.
#[repr(C)]
pub(super) struct Line {
    pub bias: [i32; 4],
    /// Aligned to 4.
    pub multipliers: [i16; 4],
    pub offset: i32,
    pub shift: u32,
    /// Nine taps of two words.
    pub weights: *const u32,
    /// Where `rows[0]` stands after the last output.
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

/// `conv` by tiles; returns false without a change where tiles do not apply.
pub(super) fn conv<I: Isa>(conv: &Conv, out: &mut Output, scratch: &mut [i8]) -> bool {
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
        && conv.weights.as_ptr() as usize % 4 == 0
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

/// The first address in `scratch` that is a multiple of 8.
pub(super) fn align(scratch: &mut [i8]) -> *mut u32 {
    let start = scratch.as_mut_ptr();
    start.wrapping_add((start as usize).wrapping_neg() & 7).cast()
}

impl Source<'_> {
    /// Whether the slice has the values that the shape says.
    pub(super) fn is_whole(&self) -> bool {
        self.data.len() >= self.height * self.width * self.channels
    }
}

impl Epilogue<'_> {
    /// Whether the slices suffice for `channels` channels and `values` outputs.
    pub(super) fn is_whole(&self, channels: usize, values: usize, out: &Output) -> bool {
        let residual = self.residual.and_then(|r| r.data).is_none_or(|d| d.len() >= values);
        let room = match out {
            Output::I8(out) => out.len(),
            Output::I16(out) => out.len(),
        };
        residual && room >= values && self.bias.len() >= channels && self.multipliers.len() >= channels
    }
}

/// Every output pixel, P at a time. The last tile may compute pixels from an older patch; they are not stored.
///
/// # Safety
/// The slices of `conv` and `out` are whole, `patch` is aligned and has room for P patches of `blocks` blocks.
unsafe fn tiles<I: Isa, const P: usize>(conv: &Conv, out: &mut Output, patch: *mut I::Block, blocks: usize) {
    let [out_h, out_w, out_c] = conv.output;
    let pixels = out_h * out_w;
    let (mut x, mut y, mut first) = (0, 0, 0);
    while first < pixels {
        let count = if pixels - first < P { pixels - first } else { P };
        for p in 0..count {
            // SAFETY: the caller's promise; p < P.
            unsafe { gather::<I, P>(conv, y, x, patch.add(p)) };
            x += 1;
            if x == out_w {
                (x, y) = (0, y + 1);
            }
        }
        let mut row = conv.weights.as_ptr().cast::<u32>();
        let mut o = 0;
        while I::FOUR_CHANNELS && P == 4 && o + 4 <= out_c {
            // SAFETY: channels o to o + 4 exist, with weights, bias, multipliers and outputs.
            unsafe {
                let tile = I::dot4x4(row, patch, blocks, conv.epilogue.bias.as_ptr().add(o));
                for (c, four) in tile.into_iter().enumerate() {
                    let mut acc = [0; P];
                    acc.copy_from_slice(&four);
                    store::<I, P, 0>(&conv.epilogue, out, acc, count, o + c, first * out_c + o + c, out_c);
                }
                row = row.add(4 * blocks);
            }
            o += 4;
        }
        for o in o..out_c {
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

/// Requantizes `count` accumulators into `out[index + p·step]`: of channel `o` all of them, or, where
/// `ACROSS` is 1, of channel `o + p`.
///
/// # Safety
/// The epilogue and `out` are whole for these indices.
#[inline(always)]
pub(super) unsafe fn store<I: Requantize, const P: usize, const ACROSS: usize>(
    epilogue: &Epilogue,
    out: &mut Output,
    acc: [i32; P],
    count: usize,
    o: usize,
    index: usize,
    step: usize,
) {
    let (offset, shift) = (epilogue.offset, epilogue.shift as u32 & 31);
    // SAFETY: the caller's promise.
    unsafe {
        let multipliers = epilogue.multipliers.as_ptr().add(o);
        let first = *multipliers;
        let scaled = |p: usize, acc: i32| I::scale(acc, if ACROSS == 0 { first } else { *multipliers.add(p) }, offset);
        match out {
            Output::I8(out) if epilogue.residual.is_none() && count == P => {
                let mut slot = out.as_mut_ptr().add(index);
                if let Some(lut) = epilogue.lut {
                    let middle = lut.as_ptr().add(128);
                    for (p, acc) in acc.into_iter().enumerate() {
                        *slot = *middle.offset(I::saturate(scaled(p, acc) >> shift) as isize);
                        slot = slot.wrapping_add(step);
                    }
                } else {
                    for (p, acc) in acc.into_iter().enumerate() {
                        *slot = I::saturate(scaled(p, acc) >> shift) as i8;
                        slot = slot.wrapping_add(step);
                    }
                }
            }
            Output::I8(out) => {
                for (p, acc) in acc.into_iter().enumerate().take(count) {
                    let slot = out.as_mut_ptr().add(index + p * step);
                    let mut t = scaled(p, acc);
                    if let Some(Residual { data, multiplier, shift }) = epilogue.residual {
                        let value = data.map_or(*slot, |d| *d.as_ptr().add(index + p * step));
                        t = t.wrapping_add((value as i32 * multiplier as i32) >> (shift as u32 & 31));
                    }
                    *slot = look_up(epilogue.lut, I::saturate(t >> shift));
                }
            }
            Output::I16(out) => {
                for (p, acc) in acc.into_iter().enumerate().take(count) {
                    *out.as_mut_ptr().add(index + p * step) = crate::quant::clamp_i16(scaled(p, acc) >> shift);
                }
            }
        }
    }
}

/// `q`, in the i8 range, through the table if there is one.
#[inline(always)]
pub(super) fn look_up(lut: Option<&[i8; 256]>, q: i32) -> i8 {
    match lut {
        // SAFETY: the index is masked to 0..256.
        Some(lut) => unsafe { *lut.as_ptr().add((q as usize ^ 0x80) & 0xFF) },
        None => q as i8,
    }
}

/// Copies the window at output (y, x) to one pixel's place in the patches.
///
/// # Safety
/// The sources are whole, `dst` has room for a patch.
unsafe fn gather<I: Isa, const P: usize>(conv: &Conv, y: usize, x: usize, dst: *mut I::Block) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let aligned = a.channels % 4 == 0
        && a.data.as_ptr() as usize % 4 == 0
        && b.is_none_or(|b| b.channels % 4 == 0 && b.data.as_ptr() as usize % 4 == 0);
    let left = (x * stride[1]).wrapping_sub(pad[1]);
    let plain = b.is_none() && a.upsample == 0 && dilation[1] == 1;
    let inside = plain && left < a.width && left + kernel[1] <= a.width;
    let mut patch = Patch::<I, P> { dst, word: 0, filled: 0 };
    for ky in 0..kernel[0] {
        let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
        let (columns, sources) = if inside { (1, kernel[1]) } else { (kernel[1], 1) };
        for kx in 0..columns {
            let ix = left.wrapping_add(kx * dilation[1]);
            // SAFETY: the caller's promise.
            unsafe {
                patch.push(&a, iy, ix, a.channels * sources, aligned);
                if let Some(b) = &b {
                    patch.push(b, iy, ix, b.channels, aligned);
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
