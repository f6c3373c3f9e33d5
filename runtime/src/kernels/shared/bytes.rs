//! Dense convolution and linear layers for cores with wide vectors: the patches of four output pixels are copied
//! to scratch as bytes, and a row of weights meets all four. A backend supplies the instructions by [`Bytes`].

use super::requantize::Requantize;
use super::store::{align, store};
use crate::cores::Part;
use crate::kernels::conv::{Conv, UNIT};
use crate::kernels::epilogue::{start_of, Output};
use crate::kernels::linear::{self, Linear};
use crate::kernels::scratch::{conv_scratch, row_stride};
use crate::kernels::source::{Source, Window};
use core::ops::Range;

/// What an instruction set does better than the compiler.
pub trait Bytes: Requantize {
    /// Copies `len` bytes.
    ///
    /// # Safety
    /// Both are there and do not overlap.
    unsafe fn copy(from: *const i8, to: *mut i8, len: usize);

    /// Writes `len` times `value`.
    ///
    /// # Safety
    /// `to` has `len` bytes.
    unsafe fn fill(value: i8, to: *mut i8, len: usize);

    /// `acc[i] + Σ row·others[i]` over `taps` bytes.
    ///
    /// # Safety
    /// The row and the others have `taps` bytes.
    unsafe fn dot4(acc: [i32; 4], row: *const i8, others: [*const i8; 4], taps: usize) -> [i32; 4];

    /// Whether `channels` adds residuals.
    const RESIDUAL: bool;

    /// All output channels of four pixels.
    ///
    /// # Safety
    /// Everything that `tile` points to is there, for at least one channel.
    unsafe fn channels(tile: &Tile);
}

/// All output channels of four pixels, and where everything is.
#[repr(C)]
pub struct Tile {
    /// Patches of the four pixels, zeros up to the next multiple of 16 bytes.
    pub patches: [*const i8; 4],
    /// Bytes of a row of weights and of a patch.
    pub taps: usize,
    pub weights: *const i8,
    pub bias: *const i32,
    pub bias_end: *const i32,
    pub multipliers: *const i16,
    pub out: *mut i8,
    pub offset: i32,
    /// Minus the last shift.
    pub left_shift: i32,
    /// The middle of the activation's table, or null.
    pub lut: *const i8,
    /// From one pixel's outputs to the next.
    pub step: u32,
    /// What is added at `out`'s places, or null; may be `out`.
    pub residual: *const i8,
    /// See [`Residual`](crate::kernels::Residual).
    pub residual_multiplier: i32,
    /// See [`Residual`](crate::kernels::Residual).
    pub residual_shift: u32,
}

/// `conv` by tiles; returns false without a change where tiles do not apply.
pub fn conv<B: Bytes>(conv: &Conv, part: Part, out: &mut Output, scratch: &mut [i8]) -> bool {
    let [out_h, out_w, out_c] = conv.output;
    let (a, b) = conv.sources;
    let channels = a.channels + b.map_or(0, |s| s.channels);
    let taps = conv.window.kernel[0] * conv.window.kernel[1] * channels;
    let fits = conv.groups == 1
        && taps > 0
        && a.is_whole()
        && b.is_none_or(|s| s.is_whole())
        && conv.weights.len() >= out_c * row_stride(taps)
        && scratch.len() >= conv_scratch(taps)
        && conv.epilogue.is_whole(out_c, out_h * out_w * out_c, out);
    if fits {
        // SAFETY: the slices have the lengths that the loops walk, as just checked; scratch has room for four patches.
        unsafe { tiles::<B>(conv, part, out, align(scratch).cast(), row_stride(taps)) };
    }
    fits
}

/// # Safety
/// The slices of `conv` and `out` are whole; `patch` has room for four patches, each rounded up to 16 bytes.
unsafe fn tiles<B: Bytes>(conv: &Conv, part: Part, out: &mut Output, patch: *mut i8, taps: usize) {
    let [out_h, out_w, out_c] = conv.output;
    let Range { start: mut first, end: pixels } = part.of(out_h * out_w, UNIT);
    let patches = [0, 1, 2, 3].map(|p| patch.wrapping_add(p * taps.next_multiple_of(16)));
    let epilogue = &conv.epilogue;
    for patch in patches {
        // SAFETY: the last block of a patch is inside its room; gathering leaves what is beyond the taps.
        unsafe { B::fill(0, patch.add((taps - 1) & !15), 16) };
    }
    let mut y = first.checked_div(out_w).unwrap_or(0);
    let mut x = first - y * out_w;
    while first < pixels {
        let count = if pixels - first < 4 { pixels - first } else { 4 };
        for patch in patches.into_iter().take(count) {
            // SAFETY: the caller's promise.
            unsafe { gather::<B>(conv, y, x, patch) };
            x += 1;
            if x == out_w {
                (x, y) = (0, y + 1);
            }
        }
        match out {
            Output::I8(out) if count == 4 && (B::RESIDUAL || epilogue.residual.is_none()) => {
                let at = start_of(out).wrapping_add(first * out_c);
                let residual = epilogue.residual;
                let tile = Tile {
                    patches: patches.map(|p| p.cast_const()),
                    taps,
                    weights: conv.weights.as_ptr(),
                    bias: epilogue.bias.as_ptr(),
                    bias_end: epilogue.bias.as_ptr().wrapping_add(out_c),
                    multipliers: epilogue.multipliers.as_ptr(),
                    out: at,
                    offset: epilogue.offset,
                    left_shift: -((epilogue.shift & 31) as i32),
                    lut: epilogue.lut.map_or(core::ptr::null(), |lut| lut.as_ptr().wrapping_add(128)),
                    step: out_c as u32,
                    residual: residual.map_or(core::ptr::null(), |r| {
                        r.data.map_or(at.cast_const(), |data| data.as_ptr().wrapping_add(first * out_c))
                    }),
                    residual_multiplier: residual.map_or(0, |r| r.multiplier as i32),
                    residual_shift: residual.map_or(0, |r| r.shift as u32 & 31),
                };
                if out_c > 0 {
                    // SAFETY: the slices are whole, so all channels of these four pixels exist.
                    unsafe { B::channels(&tile) };
                }
            }
            _ => {
                for o in 0..out_c {
                    // SAFETY: o < out_c, for which weights, bias, multipliers and outputs exist.
                    unsafe {
                        let row = conv.weights.as_ptr().add(o * taps);
                        let acc =
                            B::dot4([*epilogue.bias.as_ptr().add(o); 4], row, patches.map(|p| p.cast_const()), taps);
                        store::<B, 4, 0>(epilogue, out, acc, count, o, first * out_c + o, out_c);
                    }
                }
            }
        }
        first += count;
    }
}

/// Copies the window at output (y, x) to `patch`.
///
/// # Safety
/// The sources are whole, `patch` has room for all taps, rounded up to 4.
unsafe fn gather<B: Bytes>(conv: &Conv, y: usize, x: usize, mut patch: *mut i8) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let left = (x * stride[1]).wrapping_sub(pad[1]);
    let plain = b.is_none() && a.upsample == 0 && dilation[1] == 1;
    let inside = plain && left < a.width && left + kernel[1] <= a.width;
    let (columns, pixels) = if inside { (1, kernel[1]) } else { (kernel[1], 1) };
    for ky in 0..kernel[0] {
        let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
        for kx in 0..columns {
            let ix = left.wrapping_add(kx * dilation[1]);
            // SAFETY: the caller's promise.
            unsafe {
                patch = push::<B>(&a, iy, ix, a.channels * pixels, patch);
                if let Some(b) = &b {
                    patch = push::<B>(b, iy, ix, b.channels, patch);
                }
            }
        }
    }
}

/// Copies `len` values from pixel (y, x) on, or zero points in the padding; returns where the next go.
///
/// # Safety
/// The source is whole and has `len` values from (y, x) on if that is inside; `to` has room for them.
#[inline(always)]
unsafe fn push<B: Bytes>(source: &Source, y: usize, x: usize, len: usize, to: *mut i8) -> *mut i8 {
    let (y, x) = (y >> (source.upsample & 1), x >> (source.upsample & 1));
    // SAFETY: the caller's promise.
    unsafe {
        if y < source.height && x < source.width {
            B::copy(source.data.as_ptr().add((y * source.width + x) * source.channels), to, len);
        } else {
            B::fill(source.zero_point, to, len);
        }
        to.add(len)
    }
}

/// `linear` by four rows at a time; returns false without a change where the slices do not fit the shapes.
pub fn linear<B: Bytes>(linear: &Linear, part: Part, out: &mut Output) -> bool {
    let (inputs, stride) = (linear.input.len(), row_stride(linear.input.len()));
    let outputs = linear.weights.len().checked_div(stride).unwrap_or(0);
    if inputs == 0 || !linear.epilogue.is_whole(outputs, outputs, out) {
        return false;
    }
    let Range { start: mut o, end: outputs } = part.of(outputs, linear::UNIT);
    while o < outputs {
        // The last outputs go one by one, the tile four times over the same row.
        let (count, step, next) = if outputs - o < 4 { (1, 0, 0) } else { (4, stride, 1) };
        // SAFETY: rows `o` to `o + count` exist, with `stride ≥ inputs` weights and a bias each.
        unsafe {
            let bias = linear.epilogue.bias.as_ptr().add(o);
            let mut acc = [*bias, *bias.add(next), *bias.add(2 * next), *bias.add(3 * next)];
            let row = linear.weights.as_ptr().add(o * stride);
            let rows = [row, row.add(step), row.add(2 * step), row.add(3 * step)];
            acc = B::dot4(acc, linear.input.as_ptr(), rows, inputs);
            store::<B, 4, 1>(&linear.epilogue, out, acc, count, o, o, 1);
        }
        o += count;
    }
    true
}
