//! Convolution, dense or depthwise; a dense layer is the case of one pixel.
use super::chunks::{images_per_chunk, CHUNKS};
use super::conv_dense::Dense;
use super::conv_depthwise::Depthwise;
use super::optimizer::Parameters;
use super::pool::Buffer;
use super::simd;
use super::tape::{Act, Tape};
use crate::graph::geometry::ConvGeometry;
use crate::graph::shape::Shape;
use rayon::prelude::*;
use std::ops::Range;
use std::sync::Arc;

/// A convolution with its shapes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Conv {
    /// Kernel, stride, padding, dilation, groups.
    pub geometry: ConvGeometry,
    /// Shape of one input image.
    pub input: Shape,
    /// Shape of one output image.
    pub output: Shape,
}

impl Conv {
    /// The dense layer from `inputs` to `outputs` values, as a convolution over one pixel.
    pub fn linear(inputs: usize, outputs: usize) -> Self {
        Self {
            geometry: ConvGeometry::square(1, 1),
            input: Shape::new(1, 1, inputs),
            output: Shape::new(1, 1, outputs),
        }
    }

    /// y = conv(x, w) + bias for a batch, in NHWC with OHWI weights.
    pub fn forward(&self, x: &[f32], w: &[f32], bias: Option<&[f32]>) -> Buffer {
        let batch = x.len() / self.input.len();
        let per = images_per_chunk(batch);
        let mut y = Buffer::stale(batch * self.output.len());
        let chunks = x.par_chunks(per * self.input.len()).zip(y.par_chunks_mut(per * self.output.len()));
        chunks.for_each(|(x, y)| {
            if self.geometry.depthwise {
                let images = x.chunks_exact(self.input.len()).zip(y.chunks_exact_mut(self.output.len()));
                images.for_each(|(x, y)| self.depthwise().forward(x, w, bias, y));
            } else {
                self.dense().forward(x, w, bias, y);
            }
        });
        y
    }

    fn backward(&self, x: &[f32], w: &[f32], dy: &[f32], dx: Option<&mut Buffer>, dw: &mut [f32]) {
        let per = images_per_chunk(x.len() / self.input.len());
        let mut parts = Buffer::zeros(CHUNKS * dw.len());
        let chunks = x.par_chunks(per * self.input.len()).zip(dy.par_chunks(per * self.output.len()));
        let chunks = chunks.zip(parts.par_chunks_mut(dw.len()));
        let chunk = |x: &[f32], dy: &[f32], mut dx: Option<&mut [f32]>, dw: &mut [f32]| {
            if !self.geometry.depthwise {
                return self.dense().backward(x, w, dy, dx, dw);
            }
            if let Some(dx) = &mut dx {
                dx.fill(0.0);
            }
            for (i, (x, dy)) in x.chunks_exact(self.input.len()).zip(dy.chunks_exact(self.output.len())).enumerate() {
                let dx = dx.as_mut().map(|dx| &mut dx[i * x.len()..(i + 1) * x.len()]);
                self.depthwise().backward(x, w, dy, dx, dw);
            }
        };
        match dx {
            Some(dx) => chunks
                .zip(dx.par_chunks_mut(per * self.input.len()))
                .for_each(|(((x, dy), dw), dx)| chunk(x, dy, Some(dx), dw)),
            None => chunks.for_each(|((x, dy), dw)| chunk(x, dy, None, dw)),
        }
        for part in parts.chunks_exact(dw.len()) {
            dw.iter_mut().zip(part).for_each(|(d, p)| *d += p);
        }
    }

    fn dense(&self) -> Dense {
        Dense { geometry: self.geometry, input: self.input, output: self.output }
    }

    fn depthwise(&self) -> Depthwise {
        Depthwise { geometry: self.geometry, input: self.input, output: self.output }
    }
}

/// Records y = conv(x, w) with weights that do not learn, of a dense convolution.
pub fn fixed_conv(tape: &mut Tape, x: &Act, conv: Conv, weights: &Arc<[f32]>) -> Act {
    let y = tape.hold(conv.forward(x.values(), weights, None), x.batch(), conv.output);
    let (x, out, weights) = (x.clone(), y.clone(), weights.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let per = images_per_chunk(x.batch());
        let mut dx = Buffer::stale(x.values().len());
        let chunks = dy.par_chunks(per * conv.output.len()).zip(dx.par_chunks_mut(per * conv.input.len()));
        chunks.for_each(|(dy, dx)| conv.dense().backward_input(&weights, dy, dx));
        x.give_grad(grads, dx)
    });
    y
}

/// Records y = conv(x, w) + bias. `needs_dx` is false where nothing before `x` learns.
pub fn conv(
    tape: &mut Tape,
    x: &Act,
    conv: Conv,
    params: &Parameters,
    weight: Range<usize>,
    bias: Option<Range<usize>>,
    needs_dx: bool,
) -> Act {
    let values = conv.forward(x.values(), &params.values()[weight.clone()], bias.clone().map(|b| &params.values()[b]));
    let y = tape.hold(values, x.batch(), conv.output);
    let (x, out, params) = (x.clone(), y.clone(), params.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        if let Some(bias) = bias {
            let sums = simd::column_sums(&dy, conv.output.channels);
            params.grad(grads)?[bias].iter_mut().zip(sums).for_each(|(d, s)| *d += s);
        }
        let mut dx = needs_dx.then(|| Buffer::stale(x.values().len()));
        let w = &params.values()[weight.clone()];
        conv.backward(x.values(), w, &dy, dx.as_mut(), &mut params.grad(grads)?[weight]);
        dx.map_or(Ok(()), |dx| x.give_grad(grads, dx))
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    fn case(geometry: ConvGeometry, input: Shape, channels: usize) -> Conv {
        let [height, width] = geometry.output(input.height, input.width).unwrap();
        Conv { geometry, input, output: Shape::new(height, width, channels) }
    }

    fn check(name: &str, c: Conv) {
        let fan_in = if c.geometry.depthwise { 1 } else { c.input.channels };
        let weights = c.output.channels * c.geometry.taps() * fan_in;
        let run = move |tape: &mut Tape, acts: &[Act], params: &Parameters| {
            conv(tape, &acts[0], c, params, 0..weights, Some(weights..weights + c.output.channels), true)
        };
        check_gradients(name, 3, &[c.input], weights + c.output.channels, run);
        check_threads(name, 19, &[c.input], weights + c.output.channels, run);
    }

    #[test]
    fn gradients_match_finite_differences() {
        let image = Shape::new(7, 6, 4);
        check("dense 3x3", case(ConvGeometry::square(3, 1), image, 5));
        check("dense 3x3, stride 2", case(ConvGeometry::square(3, 2), image, 5));
        check("pointwise", case(ConvGeometry::square(1, 1), image, 5));
        check("pointwise, stride 2", case(ConvGeometry::square(1, 2), image, 5));
        check("5x5", case(ConvGeometry::square(5, 1), image, 2));
        check("dilated line", case(ConvGeometry::line(3, 4), Shape::new(1, 20, 4), 5));
        check(
            "dilated square",
            case(ConvGeometry { dilation: [2, 2], pad: [2, 1], ..ConvGeometry::square(3, 1) }, image, 3),
        );
        check("depthwise 3x3", case(ConvGeometry::square(3, 1).depthwise(), image, 4));
        check("depthwise 3x3, stride 2", case(ConvGeometry::square(3, 2).depthwise(), image, 4));
        check("depthwise dilated line", case(ConvGeometry::line(3, 2).depthwise(), Shape::new(1, 20, 4), 4));
        check("linear", Conv::linear(6, 5));
    }

    /// Every output from its definition, with padding and bounds spelled out.
    fn naive(c: Conv, x: &[f32], w: &[f32], bias: &[f32]) -> Vec<f32> {
        let g = c.geometry;
        let fan_in = if g.depthwise { 1 } else { c.input.channels };
        let mut y = Vec::new();
        for oy in 0..c.output.height {
            for ox in 0..c.output.width {
                for o in 0..c.output.channels {
                    let mut sum = f64::from(bias[o]);
                    for (ky, kx) in (0..g.kernel[0]).flat_map(|ky| (0..g.kernel[1]).map(move |kx| (ky, kx))) {
                        let iy = (oy * g.stride[0] + ky * g.dilation[0]) as isize - g.pad[0] as isize;
                        let ix = (ox * g.stride[1] + kx * g.dilation[1]) as isize - g.pad[1] as isize;
                        if iy < 0 || ix < 0 || iy >= c.input.height as isize || ix >= c.input.width as isize {
                            continue;
                        }
                        for i in 0..fan_in {
                            let channel = if g.depthwise { o } else { i };
                            let x = x[(iy as usize * c.input.width + ix as usize) * c.input.channels + channel];
                            sum +=
                                f64::from(x) * f64::from(w[((o * g.kernel[0] + ky) * g.kernel[1] + kx) * fan_in + i]);
                        }
                    }
                    y.push(sum as f32);
                }
            }
        }
        y
    }

    #[test]
    fn values_match_the_definition() {
        let wave = |n: usize, f: f32| (0..n).map(|i| (i as f32 * f).sin()).collect::<Vec<f32>>();
        for c in [
            case(ConvGeometry::square(3, 1), Shape::new(7, 6, 4), 5),
            case(ConvGeometry::square(3, 2), Shape::new(8, 5, 3), 4),
            case(ConvGeometry::square(1, 1), Shape::new(3, 3, 2), 7),
            case(ConvGeometry::line(3, 8), Shape::new(1, 30, 4), 2),
            case(ConvGeometry::square(3, 2).depthwise(), Shape::new(7, 8, 6), 6),
        ] {
            let fan_in = if c.geometry.depthwise { 1 } else { c.input.channels };
            let (x, w) = (wave(c.input.len(), 0.7), wave(c.output.channels * c.geometry.taps() * fan_in, 1.3));
            let bias = wave(c.output.channels, 2.1);
            let y = c.forward(&x, &w, Some(&bias));
            for (y, expected) in y.iter().zip(naive(c, &x, &w, &bias)) {
                assert!((y - expected).abs() < 1e-5, "{c:?}: {y} instead of {expected}");
            }
        }
    }
}
