//! The reference kernels: safe Rust for any target, and the meaning of every other backend.

use super::arguments::{Add, Conv, Depthwise, Linear, Lut};
use super::epilogue::{Epilogue, Output, Residual};
use super::scratch::row_stride;
use super::source::Window;
use crate::quant::{clamp_i16, clamp_i8, scale};

/// Convolution of one image. `scratch` has at least [`conv_scratch`](super::conv_scratch) bytes.
pub fn conv(conv: &Conv, mut out: Output, scratch: &mut [i8]) {
    let [out_h, out_w, out_c] = conv.output;
    let channels = conv.sources.0.channels + conv.sources.1.map_or(0, |s| s.channels);
    let groups = conv.groups.max(1);
    let (group_in, group_out) = (channels / groups, out_c / groups);
    let taps = conv.window.kernel[0] * conv.window.kernel[1] * channels;
    let stride = row_stride(conv.window.kernel[0] * conv.window.kernel[1] * group_in);
    let Some(patch) = scratch.get_mut(..taps) else { return };
    for y in 0..out_h {
        for x in 0..out_w {
            gather(conv, y, x, patch);
            let pixel = (y * out_w + x) * out_c;
            for o in 0..out_c {
                let Some(row) = conv.weights.get(o * stride..).and_then(|w| w.get(..stride)) else { return };
                let sum = if groups == 1 {
                    dot(row, patch)
                } else {
                    let first = o.checked_div(group_out).unwrap_or(0) * group_in;
                    grouped_dot(row, patch, channels, first, group_in)
                };
                write(&conv.epilogue, &mut out, o, pixel + o, sum);
            }
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

#[inline(always)]
fn dot(row: &[i8], patch: &[i8]) -> i32 {
    row.iter().zip(patch).map(|(&w, &v)| w as i32 * v as i32).fold(0i32, i32::wrapping_add)
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

/// Depthwise convolution of one image. `scratch` has at least
/// [`depthwise_scratch`](super::depthwise_scratch) bytes.
///
/// Works channel by channel; the input rows under the window are copied to a ring in scratch first,
/// padding included, so that the output may overwrite the input.
pub fn depthwise(conv: &Depthwise, out: &mut [i8], scratch: &mut [i8]) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let [ring, width] = conv.window.span(out_w);
    let Some(lines) = scratch.get_mut(..ring * width) else { return };
    for c in 0..channels {
        let mut loaded = 0;
        for y in 0..out_h {
            while loaded < y * stride[0] + ring {
                let Some(line) = lines.get_mut(loaded.checked_rem(ring).unwrap_or(0) * width..) else { return };
                let row = loaded.wrapping_sub(pad[0]);
                for (x, value) in line.iter_mut().take(width).enumerate() {
                    *value = conv.source.value(out, row, x.wrapping_sub(pad[1]), c);
                }
                loaded += 1;
            }
            for x in 0..out_w {
                let mut sum = 0i32;
                for ky in 0..kernel[0] {
                    let line = (y * stride[0] + ky * dilation[0]).checked_rem(ring).unwrap_or(0) * width;
                    for kx in 0..kernel[1] {
                        let value = lines.get(line + x * stride[1] + kx * dilation[1]).copied().unwrap_or(0);
                        let weight = conv.weights.get((ky * kernel[1] + kx) * channels + c).copied().unwrap_or(0);
                        sum = sum.wrapping_add(value as i32 * weight as i32);
                    }
                }
                write(&conv.epilogue, &mut Output::I8(out), c, (y * out_w + x) * channels + c, sum);
            }
        }
    }
}

/// Fully connected layer.
pub fn linear(linear: &Linear, mut out: Output) {
    let stride = row_stride(linear.input.len());
    if stride == 0 {
        return;
    }
    for (o, row) in linear.weights.chunks_exact(stride).enumerate() {
        write(&linear.epilogue, &mut out, o, o, dot(row, linear.input));
    }
}

/// Requantizes `bias[o] + sum` and stores it at `index`.
#[inline(always)]
fn write(epilogue: &Epilogue, out: &mut Output, o: usize, index: usize, sum: i32) {
    let (Some(&bias), Some(&multiplier)) = (epilogue.bias.get(o), epilogue.multipliers.get(o)) else { return };
    let mut t = scale(bias.wrapping_add(sum), multiplier).wrapping_add(epilogue.offset);
    let shift = epilogue.shift as u32 & 31;
    match out {
        Output::I8(out) => {
            let Some(slot) = out.get_mut(index) else { return };
            if let Some(Residual { data, multiplier, shift }) = epilogue.residual {
                let value = data.map_or(*slot, |d| d.get(index).copied().unwrap_or(0));
                t = t.wrapping_add((value as i32 * multiplier as i32) >> (shift as u32 & 31));
            }
            *slot = look_up(epilogue.lut, clamp_i8(t >> shift));
        }
        Output::I16(out) => {
            if let Some(slot) = out.get_mut(index) {
                *slot = clamp_i16(t >> shift);
            }
        }
    }
}

#[inline(always)]
fn look_up(lut: Option<&[i8; 256]>, q: i8) -> i8 {
    match lut {
        Some(lut) => lut[(q as u8 ^ 0x80) as usize],
        None => q,
    }
}

/// Elementwise sum of two tensors.
pub fn add(add: &Add, out: &mut [i8]) {
    let [ma, mb] = add.multipliers.map(|m| m as i32);
    let sum = |a: i8, b: i8| {
        let t = (a as i32 * ma).wrapping_add(b as i32 * mb).wrapping_add(add.offset);
        look_up(add.lut, clamp_i8(t >> (add.shift as u32 & 31)))
    };
    match add.a {
        Some(a) => out.iter_mut().zip(a).zip(add.b).for_each(|((o, &a), &b)| *o = sum(a, b)),
        None => out.iter_mut().zip(add.b).for_each(|(o, &b)| *o = sum(*o, b)),
    }
}

/// Table lookup.
pub fn lut(lut: &Lut, out: &mut [i8]) {
    let Lut { input, table } = *lut;
    match input {
        Some(input) => out.iter_mut().zip(input).for_each(|(o, &i)| *o = look_up(Some(table), i)),
        None => out.iter_mut().for_each(|o| *o = look_up(Some(table), *o)),
    }
}
