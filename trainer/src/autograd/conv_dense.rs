//! Dense convolution of one chunk of images: patches as matrix rows, then matrix products.
use super::gemm::{gemm, Matrix};
use super::pool::Buffer;
use crate::graph::geometry::ConvGeometry;
use crate::graph::shape::Shape;

/// Patches gathered before a product, in rows: enough for the product to be efficient, few enough to stay in cache.
const ROWS: usize = 196;

/// A dense convolution with its shapes.
#[derive(Clone, Copy)]
pub struct Dense {
    pub geometry: ConvGeometry,
    pub input: Shape,
    pub output: Shape,
}

impl Dense {
    /// Values in one patch: taps × input channels.
    fn patch(&self) -> usize {
        self.geometry.taps() * self.input.channels
    }

    /// Images whose patches are gathered together.
    fn group(&self, images: usize) -> usize {
        if self.geometry.is_pointwise() {
            images
        } else {
            ROWS.div_ceil(self.output.pixels()).min(images)
        }
    }

    /// y = conv(x, w) + bias.
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        if x.is_empty() {
            return;
        }
        let group = self.group(x.len() / self.input.len());
        let (patch, channels) = (self.patch(), self.output.channels);
        let mut patches = self.patch_buffer(group);
        for (x, y) in x.chunks(group * self.input.len()).zip(y.chunks_mut(group * self.output.len())) {
            let rows = self.gather(x, &mut patches);
            if let Some(bias) = bias {
                y.chunks_exact_mut(channels).for_each(|pixel| pixel.copy_from_slice(bias));
            }
            let pixels = y.len() / channels;
            gemm(
                [pixels, channels, patch],
                y,
                Matrix::rows(rows, patch),
                Matrix::rows(w, patch).transposed(),
                bias.is_some(),
            );
        }
    }

    /// dw += dyᵀ · patches(x), and dx += the patches' gradients, scattered back.
    pub fn backward(&self, x: &[f32], w: &[f32], dy: &[f32], dx: Option<&mut [f32]>, dw: &mut [f32]) {
        if x.is_empty() {
            return;
        }
        let group = self.group(x.len() / self.input.len());
        let (patch, channels) = (self.patch(), self.output.channels);
        let mut patches = self.patch_buffer(group);
        let blocks = || x.chunks(group * self.input.len()).zip(dy.chunks(group * self.output.len()));
        for (x, dy) in blocks() {
            let rows = self.gather(x, &mut patches);
            let pixels = dy.len() / channels;
            gemm(
                [channels, patch, pixels],
                dw,
                Matrix::rows(dy, channels).transposed(),
                Matrix::rows(rows, patch),
                true,
            );
        }
        if let Some(dx) = dx {
            self.backward_input(w, dy, dx);
        }
    }

    /// dx = the patches' gradients, scattered back.
    pub fn backward_input(&self, w: &[f32], dy: &[f32], dx: &mut [f32]) {
        if dx.is_empty() {
            return;
        }
        let group = self.group(dx.len() / self.input.len());
        let (patch, channels) = (self.patch(), self.output.channels);
        let mut patches = self.patch_buffer(group);
        for (dy, dx) in dy.chunks(group * self.output.len()).zip(dx.chunks_mut(group * self.input.len())) {
            let pixels = dy.len() / channels;
            let (dy, w) = (Matrix::rows(dy, channels), Matrix::rows(w, patch));
            if self.geometry.is_pointwise() {
                gemm([pixels, patch, channels], dx, dy, w, false);
            } else {
                let rows = &mut patches[..pixels * patch];
                gemm([pixels, patch, channels], rows, dy, w, false);
                self.scatter(rows, dx);
            }
        }
    }

    fn patch_buffer(&self, group: usize) -> Buffer {
        Buffer::stale(if self.geometry.is_pointwise() { 0 } else { group * self.output.pixels() * self.patch() })
    }

    /// The patches of `x` as rows: `x` itself for a pointwise convolution, else gathered into `patches`.
    fn gather<'a>(&self, x: &'a [f32], patches: &'a mut [f32]) -> &'a [f32] {
        if self.geometry.is_pointwise() {
            return x;
        }
        let rows = &mut patches[..x.len() / self.input.len() * self.output.pixels() * self.patch()];
        for (x, rows) in
            x.chunks_exact(self.input.len()).zip(rows.chunks_exact_mut(self.output.pixels() * self.patch()))
        {
            self.each_run(|run, row| {
                let dst = &mut rows[row];
                match run {
                    Run::Pad => dst.fill(0.0),
                    Run::Image(start) => dst.copy_from_slice(&x[start..start + dst.len()]),
                }
            });
        }
        rows
    }

    /// dx = the sum of all patch gradients at the places they came from.
    fn scatter(&self, rows: &[f32], dx: &mut [f32]) {
        dx.fill(0.0);
        for (dx, rows) in
            dx.chunks_exact_mut(self.input.len()).zip(rows.chunks_exact(self.output.pixels() * self.patch()))
        {
            self.each_run(|run, row| {
                if let Run::Image(start) = run {
                    let src = &rows[row];
                    dx[start..start + src.len()].iter_mut().zip(src).for_each(|(d, s)| *d += s);
                }
            });
        }
    }

    /// Walks over one image's patches as contiguous runs: where a run comes from, and its place in the patch rows.
    #[inline(always)]
    fn each_run(&self, mut visit: impl FnMut(Run, std::ops::Range<usize>)) {
        let ConvGeometry { kernel, stride, pad, dilation, .. } = self.geometry;
        let (channels, width) = (self.input.channels, self.input.width);
        let mut at = 0;
        for oy in 0..self.output.height {
            for ox in 0..self.output.width {
                for ky in 0..kernel[0] {
                    let y = (oy * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
                    let line = kernel[1] * channels;
                    if y >= self.input.height {
                        visit(Run::Pad, at..at + line);
                    } else if dilation[1] == 1 {
                        let left = ox * stride[1];
                        let before = pad[1].saturating_sub(left).min(kernel[1]);
                        let end = (width + pad[1]).saturating_sub(left).min(kernel[1]).max(before);
                        if before > 0 {
                            visit(Run::Pad, at..at + before * channels);
                        }
                        if end > before {
                            let start = (y * width + left + before - pad[1]) * channels;
                            visit(Run::Image(start), at + before * channels..at + end * channels);
                        }
                        if end < kernel[1] {
                            visit(Run::Pad, at + end * channels..at + line);
                        }
                    } else {
                        for kx in 0..kernel[1] {
                            let x = (ox * stride[1] + kx * dilation[1]).wrapping_sub(pad[1]);
                            let run = if x < width { Run::Image((y * width + x) * channels) } else { Run::Pad };
                            visit(run, at + kx * channels..at + (kx + 1) * channels);
                        }
                    }
                    at += line;
                }
            }
        }
    }
}

/// Where a contiguous piece of a patch comes from.
enum Run {
    /// Zero padding.
    Pad,
    /// The image, from this index on.
    Image(usize),
}
