//! Dense and grouped convolution.

use super::arguments::{ensure, product, Arguments, Misfit};
use super::epilogue::{Epilogue, Output};
use super::portable::{dot, write};
use super::scratch::{conv_scratch, row_stride};
use super::source::{Source, Window};
use super::winograd::Winograd;
use crate::cores::{Cores, Part};

/// Pixels of a tile, or about as many; a part begins with one.
pub(super) const UNIT: usize = 4;

/// A dense or grouped convolution. With two sources it reads their concatenation along the channels.
#[derive(Clone, Copy, Debug)]
pub struct Conv<'a> {
    /// First source, and the one that follows it along the channels.
    pub sources: (Source<'a>, Option<Source<'a>>),
    /// Taps, strides, padding.
    pub window: Window,
    /// Output rows, columns, channels.
    pub output: [usize; 3],
    /// 1, or a divisor of both channel counts; depthwise has its own kernel.
    pub groups: usize,
    /// `[out_channels][row_stride]`, a row being `[kernel_h][kernel_w][channels / groups]` and zeros
    /// up to [`row_stride`](super::row_stride).
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
    /// How it is cut for Winograd's algorithm, which only some backends have; the outputs are the same.
    pub winograd: Option<Winograd>,
}

impl Conv<'_> {
    /// Bytes of scratch.
    fn scratch(&self, taps: usize) -> usize {
        let direct = conv_scratch(taps);
        let rows = self.window.kernel[0];
        self.winograd.map_or(direct, |cut| direct.max(cut.scratch(rows, taps / (3 * rows))))
    }

    /// Winograd's algorithm applies as it is cut.
    fn check_winograd(&self, channels: usize) -> Result<(), Misfit> {
        let Some(cut) = &self.winograd else { return Ok(()) };
        let a = self.sources.0.channels;
        let applies = self.groups == 1 && Winograd::applies(cut.tile_rows, &self.window, [a, channels - a]);
        ensure(applies && cut.rows > 0 && cut.groups > 0, Misfit::Shape)?;
        ensure(cut.rows <= self.output[0] && self.output[0] <= u16::MAX as usize, Misfit::Shape)?;
        let rows = cut.rows + self.window.kernel[0];
        product(&[cut.groups, 96 * channels, rows]).map(|_| ())
    }
}

impl Arguments for Conv<'_> {
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit> {
        let [height, width, channels] = self.output;
        let (a, b) = self.sources;
        let reach = self.window.reach([height, width])?;
        let mut inputs = 0;
        for source in core::iter::once(a).chain(b) {
            ensure(source.data.len() >= source.values()?, Misfit::Input)?;
            inputs += source.channels;
        }
        let divide = self.groups > 0 && inputs.is_multiple_of(self.groups) && channels.is_multiple_of(self.groups);
        ensure(divide, Misfit::Shape)?;
        product(&[reach[0], reach[1], inputs])?;
        let [rows, columns] = self.window.kernel;
        // Scratch is at most eight bytes a tap, and 64.
        let taps = product(&[rows, columns, inputs, 8])? / 8;
        let weights = product(&[channels, row_stride(taps / self.groups)])?;
        ensure(self.weights.len() >= weights, Misfit::Weights)?;
        self.check_winograd(inputs)?;
        ensure(scratch >= self.scratch(taps), Misfit::Scratch)?;
        self.epilogue.check(channels, product(&[height, width, channels])?, out)
    }
}

/// Has a direct kernel compute the pixels, by two cores where there are two.
#[inline(always)]
pub(super) fn share(
    cores: Cores,
    conv: &Conv,
    out: Output,
    scratch: &mut [i8],
    direct: impl Fn(Part, Output, &mut [i8]),
) {
    let need = || {
        let channels = conv.sources.0.channels + conv.sources.1.map_or(0, |s| s.channels);
        conv_scratch(conv.window.kernel[0] * conv.window.kernel[1] * channels)
    };
    // SAFETY: a part writes the outputs of its pixels and reads the residuals of these; its inputs nobody writes.
    unsafe { cores.share(need, scratch, |part, scratch| direct(part, out, scratch)) }
}

/// Convolution of one image. `scratch` has at least [`conv_scratch`](super::conv_scratch) bytes.
pub(super) fn portable(conv: &Conv, part: Part, mut out: Output, scratch: &mut [i8]) {
    let [out_h, out_w, out_c] = conv.output;
    let channels = conv.sources.0.channels + conv.sources.1.map_or(0, |s| s.channels);
    let groups = conv.groups.max(1);
    let (group_in, group_out) = (channels / groups, out_c / groups);
    let taps = conv.window.kernel[0] * conv.window.kernel[1] * channels;
    let stride = row_stride(conv.window.kernel[0] * conv.window.kernel[1] * group_in);
    let Some(patch) = scratch.get_mut(..taps) else { return };
    let pixels = part.of(out_h * out_w, UNIT);
    let mut y = pixels.start.checked_div(out_w).unwrap_or(0);
    let mut x = pixels.start - y * out_w;
    for pixel in pixels {
        gather(conv, y, x, patch);
        for o in 0..out_c {
            let Some(row) = conv.weights.get(o * stride..).and_then(|w| w.get(..stride)) else { return };
            let sum = if groups == 1 {
                dot(row, patch)
            } else {
                let first = o.checked_div(group_out).unwrap_or(0) * group_in;
                grouped_dot(row, patch, channels, first, group_in)
            };
            write(&conv.epilogue, &mut out, o, pixel * out_c + o, sum);
        }
        x += 1;
        if x == out_w {
            (x, y) = (0, y + 1);
        }
    }
}

/// Copies the window at output (y, x) to `patch` as `[kernel_h][kernel_w][channels]`.
fn gather(conv: &Conv, y: usize, x: usize, patch: &mut [i8]) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let (a, b) = conv.sources;
    let mut rest = patch;
    for ky in 0..kernel[0] {
        let iy = (y * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
        for kx in 0..kernel[1] {
            let ix = (x * stride[1] + kx * dilation[1]).wrapping_sub(pad[1]);
            for source in core::iter::once(&a).chain(b.as_ref()) {
                let Some((pixel, tail)) = rest.split_at_mut_checked(source.channels) else { return };
                match source.pixel(iy, ix) {
                    Some(values) => pixel.iter_mut().zip(values).for_each(|(p, v)| *p = *v),
                    None => pixel.fill(source.zero_point),
                }
                rest = tail;
            }
        }
    }
}

fn grouped_dot(row: &[i8], patch: &[i8], channels: usize, first: usize, group_in: usize) -> i32 {
    let mut sum = 0i32;
    if channels == 0 || group_in == 0 {
        return sum;
    }
    for (pixel, weights) in patch.chunks_exact(channels).zip(row.chunks_exact(group_in)) {
        sum = sum.wrapping_add(dot(weights, pixel.get(first..).unwrap_or(&[])));
    }
    sum
}
