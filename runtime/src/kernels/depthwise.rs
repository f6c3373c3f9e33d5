//! Depthwise convolution.

use super::arguments::{ensure, product, Arguments, Misfit};
use super::epilogue::{Epilogue, Output};
use super::portable::write;
use super::scratch::{depthwise_in_place, depthwise_scratch};
use super::source::{Source, Window};
use crate::cores::{Cores, Part};
use core::cell::Cell;

/// Channels that a backend computes at a time, at most; a part begins with a multiple.
pub(super) const UNIT: usize = 8;

/// A depthwise convolution: output channel c reads input channel c alone.
#[derive(Clone, Copy, Debug)]
pub struct Depthwise<'a> {
    /// The input. `source.data` is empty when the output buffer holds it (in place), which needs
    /// [`depthwise_in_place`](super::depthwise_in_place).
    pub source: Source<'a>,
    /// Taps, strides, padding.
    pub window: Window,
    /// Output rows and columns; the channels are the source's.
    pub output: [usize; 2],
    /// `[kernel_h][kernel_w][channels]`.
    pub weights: &'a [i8],
    /// Bias, requantization, residual, activation.
    pub epilogue: Epilogue<'a>,
}

impl Arguments for Depthwise<'_> {
    fn check(&self, out: &Output, scratch: usize) -> Result<(), Misfit> {
        let [height, width] = self.output;
        self.window.reach(self.output)?;
        let (inputs, channels) = (self.source.values()?, self.source.channels);
        let values = product(&[height, width, channels])?;
        if self.source.data.is_empty() {
            let same = [height, width] == [self.source.height, self.source.width];
            ensure(same && depthwise_in_place(&self.window, self.source.upsample), Misfit::Output)?;
            // The output holds the input, so not a residual.
            ensure(self.epilogue.residual.is_none_or(|residual| residual.data.is_some()), Misfit::Epilogue)?;
        } else {
            ensure(self.source.data.len() >= inputs, Misfit::Input)?;
        }
        let [rows, columns] = self.window.kernel;
        ensure(self.weights.len() >= product(&[rows, columns, channels])?, Misfit::Weights)?;
        // Eight bytes a value of the ring, and two blocks a tap.
        let [ring_rows, ring_columns] = self.window.span(width);
        product(&[ring_rows, ring_columns, 16])?;
        product(&[rows, columns, 64])?;
        ensure(scratch >= depthwise_scratch(&self.window, width), Misfit::Scratch)?;
        ensure(matches!(out, Output::I8(_)), Misfit::Output)?;
        self.epilogue.check(channels, values, out)
    }
}

/// Has a kernel compute the channels, by two cores where there are two.
#[inline(always)]
pub(super) fn share(cores: Cores, conv: &Depthwise, scratch: &mut [i8], kernel: impl Fn(Part, &mut [i8])) {
    let need = || depthwise_scratch(&conv.window, conv.output[1]);
    // SAFETY: a channel's outputs and inputs are no other channel's, in place or not.
    unsafe { cores.share(need, scratch, kernel) }
}

/// Depthwise convolution of one image. `scratch` has at least
/// [`depthwise_scratch`](super::depthwise_scratch) bytes.
///
/// Works channel by channel; the input rows under the window are copied to a ring in scratch first,
/// padding included, so that the output may overwrite the input.
pub(super) fn portable(conv: &Depthwise, part: Part, out: &[Cell<i8>], scratch: &mut [i8]) {
    let Window { kernel, stride, pad, dilation } = conv.window;
    let [out_h, out_w] = conv.output;
    let channels = conv.source.channels;
    let [ring, width] = conv.window.span(out_w);
    let Some(lines) = scratch.get_mut(..ring * width) else { return };
    for c in part.of(channels, UNIT) {
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
