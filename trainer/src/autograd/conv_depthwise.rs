//! Depthwise convolution of one image, directly.
use crate::graph::geometry::ConvGeometry;
use crate::graph::shape::Shape;

/// A depthwise convolution with its shapes; weights are [C][KH][KW].
#[derive(Clone, Copy)]
pub struct Depthwise {
    pub geometry: ConvGeometry,
    pub input: Shape,
    pub output: Shape,
}

impl Depthwise {
    /// y = conv(x, w) + bias.
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
        let channels = self.input.channels;
        for pixel in y.chunks_exact_mut(channels) {
            match bias {
                Some(bias) => pixel.copy_from_slice(bias),
                None => pixel.fill(0.0),
            }
        }
        let taps = self.taps_first(w);
        self.each_tap(|tap, from, to| {
            let (x, y, w) = (&x[from..from + channels], &mut y[to..to + channels], &taps[tap * channels..][..channels]);
            for ((y, x), w) in y.iter_mut().zip(x).zip(w) {
                *y += x * w;
            }
        });
    }

    /// dw += and dx +=, from the output's gradient.
    pub fn backward(&self, x: &[f32], w: &[f32], dy: &[f32], mut dx: Option<&mut [f32]>, dw: &mut [f32]) {
        let channels = self.input.channels;
        let taps = self.taps_first(w);
        let mut dtaps = vec![0.0; taps.len()];
        self.each_tap(|tap, from, to| {
            let (x, dy) = (&x[from..from + channels], &dy[to..to + channels]);
            let range = tap * channels..(tap + 1) * channels;
            for ((d, x), dy) in dtaps[range.clone()].iter_mut().zip(x).zip(dy) {
                *d += x * dy;
            }
            if let Some(dx) = &mut dx {
                for ((dx, w), dy) in dx[from..from + channels].iter_mut().zip(&taps[range]).zip(dy) {
                    *dx += w * dy;
                }
            }
        });
        let count = self.geometry.taps();
        for (i, d) in dw.iter_mut().enumerate() {
            *d += dtaps[i % count * channels + i / count];
        }
    }

    /// Weights as [KH][KW][C].
    fn taps_first(&self, w: &[f32]) -> Vec<f32> {
        let (count, channels) = (self.geometry.taps(), self.input.channels);
        (0..w.len()).map(|i| w[i % channels * count + i / channels]).collect()
    }

    /// Calls `visit` with (tap, index of the input pixel, index of the output pixel) for every product.
    fn each_tap(&self, mut visit: impl FnMut(usize, usize, usize)) {
        let ConvGeometry { kernel, stride, pad, dilation, .. } = self.geometry;
        let (input, output) = (self.input, self.output);
        for oy in 0..output.height {
            for ox in 0..output.width {
                let to = (oy * output.width + ox) * output.channels;
                for ky in 0..kernel[0] {
                    let y = (oy * stride[0] + ky * dilation[0]).wrapping_sub(pad[0]);
                    if y >= input.height {
                        continue;
                    }
                    for kx in 0..kernel[1] {
                        let x = (ox * stride[1] + kx * dilation[1]).wrapping_sub(pad[1]);
                        if x < input.width {
                            visit(ky * kernel[1] + kx, (y * input.width + x) * input.channels, to);
                        }
                    }
                }
            }
        }
    }
}
