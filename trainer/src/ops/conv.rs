//! Convolution, dense or one filter a channel, with an optional batch normalisation that folds into it.
use super::folding::Folding;
use super::making::{Layer, Making, SILU_GAIN};
use super::operation::{operands, Operation, Weights};
use super::passes::{Inference, Recording};
use crate::autograd::batch_norm::{batch_norm, NORM_TINY};
use crate::autograd::conv::{self, conv};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::geometry::ConvGeometry;
use crate::graph::layout::{BlockId, Init};
use crate::graph::shape::Shape;
use crate::lower::context::{narrow, Lowering, Part};
use crate::lower::layer::{FloatLayer, IntegerLayer};
use crate::lower::scale::Stored;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops::{self as integer, ConvInput, WindowSpec};
use serde::Serialize;

/// Convolution with OHWI weights (depthwise: `[C][KH][KW][1]`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Conv {
    /// Kernel, stride, padding, dilation, groups.
    pub geometry: ConvGeometry,
    /// Output channels.
    pub channels: usize,
    /// Weights.
    pub weight: BlockId,
    /// Bias a channel; absent where a norm follows, which has its own.
    pub bias: Option<BlockId>,
    /// Batch normalisation of the result.
    pub norm: Option<Norm>,
}

/// A batch normalisation behind a convolution; it folds into the weights exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Norm {
    /// Scale, in the parameters.
    pub gamma: BlockId,
    /// Shift, in the parameters.
    pub beta: BlockId,
    /// Running mean, in the statistics.
    pub mean: BlockId,
    /// Running variance, in the statistics.
    pub variance: BlockId,
}

/// A [`Conv`] to be made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvLayer {
    /// Output channels; ignored for depthwise, which keeps the input's.
    pub channels: usize,
    /// Kernel, stride, padding, dilation, groups.
    pub geometry: ConvGeometry,
    /// Follow with a batch normalisation.
    pub norm: bool,
    /// Factor on the start scale: of the norm's gamma where there is one, else of the weights.
    pub scale: f32,
}

impl ConvLayer {
    /// A convolution with a bias.
    pub const fn new(channels: usize, geometry: ConvGeometry) -> Self {
        Self { channels, geometry, norm: false, scale: 1.0 }
    }

    /// The same followed by a norm.
    pub const fn normed(self, norm: bool) -> Self {
        Self { norm, ..self }
    }

    /// The same starting `scale` times as large.
    pub const fn scaled(self, scale: f32) -> Self {
        Self { scale, ..self }
    }
}

impl Layer for ConvLayer {
    type Op = Conv;

    fn make(self, at: &mut Making) -> Result<Conv> {
        let ([x], geometry) = (operands(at.inputs)?, self.geometry);
        geometry.output(x.height, x.width)?;
        let (channels, fan_in) = if geometry.depthwise { (x.channels, 1) } else { (self.channels, x.channels) };
        if channels == 0 {
            return Err(Error::Invalid("a convolution needs at least one output channel".into()));
        }
        let mut std = SILU_GAIN / ((geometry.taps() * fan_in) as f32).sqrt();
        if !self.norm {
            std *= self.scale;
        }
        let dims = vec![channels, geometry.kernel[0], geometry.kernel[1], fan_in];
        let weight = at.param("weight", dims, Init::Normal(std));
        let one = || vec![channels];
        if !self.norm {
            let bias = Some(at.param("bias", one(), Init::Constant(0.0)));
            return Ok(Conv { geometry, channels, weight, bias, norm: None });
        }
        let norm = Norm {
            gamma: at.param("gamma", one(), Init::Constant(self.scale)),
            beta: at.param("beta", one(), Init::Constant(0.0)),
            mean: at.stat("mean", one(), Init::Constant(0.0)),
            variance: at.stat("variance", one(), Init::Constant(1.0)),
        };
        Ok(Conv { geometry, channels, weight, bias: None, norm: Some(norm) })
    }
}

impl Operation for Conv {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [x] = operands(inputs)?;
        let [height, width] = self.geometry.output(x.height, x.width)?;
        Ok(Shape::new(height, width, self.channels))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        let shapes = conv::Conv { geometry: self.geometry, input: at.shapes[0], output: at.output };
        shapes.forward(at.values[0], at.param(self.weight), self.bias.map(|id| at.param(id)))
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        let x = at.inputs[0];
        let shapes = conv::Conv { geometry: self.geometry, input: x.shape(), output: at.output };
        let bias = self.bias.map(|id| at.range(id));
        let y = conv(tape, x, shapes, at.params, at.range(self.weight), bias, at.inputs_learn);
        let Some(norm) = &self.norm else { return y };
        let (y, batch) = batch_norm(tape, &y, at.params, at.range(norm.gamma), at.range(norm.beta));
        at.put_stats(norm.mean, &batch.mean);
        at.put_stats(norm.variance, &batch.variance);
        y
    }

    /// w' = w·γ/√(v + tiny), bias' = β + (bias − μ)·γ/√(v + tiny).
    fn folded(&self, to: &mut Folding) -> Self {
        let Some(norm) = self.norm else {
            return Self { weight: to.copy(self.weight), bias: self.bias.map(|id| to.copy(id)), ..*self };
        };
        let mut weights = to.param(self.weight).to_vec();
        let (gamma, beta) = (to.param(norm.gamma), to.param(norm.beta));
        let (mean, variance) = (to.stat(norm.mean), to.stat(norm.variance));
        let channels = gamma.len();
        let mut bias = self.bias.map_or_else(|| vec![0.0; channels], |id| to.param(id).to_vec());
        let filter = weights.len() / channels;
        for c in 0..channels {
            let scale = f64::from(gamma[c]) / (f64::from(variance[c]) + f64::from(NORM_TINY)).sqrt();
            weights[c * filter..(c + 1) * filter].iter_mut().for_each(|w| *w = (f64::from(*w) * scale) as f32);
            bias[c] = (f64::from(beta[c]) + (f64::from(bias[c]) - f64::from(mean[c])) * scale) as f32;
        }
        // A bias has the shape and, up to its end, the name of the norm's shift.
        let (weight, bias) = (to.put(self.weight, weights), to.put(self.bias.unwrap_or(norm.beta), bias));
        Self { weight, bias: Some(bias), norm: None, ..*self }
    }

    fn role(&self) -> Role {
        Role::Accumulates
    }

    fn weights(&self) -> Option<Weights> {
        Some(Weights { weight: self.weight, taps: self.geometry.taps(), dense: !self.geometry.depthwise })
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> usize {
        let fan_in = if self.geometry.depthwise { 1 } else { inputs[0].channels };
        output.len() * self.geometry.taps() * fan_in
    }

    fn sources(&self, _: Shape, parts: &[Stored]) -> Result<Vec<Stored>> {
        match self.geometry.depthwise {
            true => Ok(vec![Stored { channels: 1, quantization: Stored::joined(parts)? }]),
            false => Ok(parts.to_vec()),
        }
    }

    fn windows(&self, [shape, output]: [Shape; 2], values: &[f32], wanted: usize, see: &mut dyn FnMut(&[f32])) {
        let total = values.len() / shape.len() * output.pixels();
        let stride = (total / wanted.max(1)).max(1) | 1;
        let mut window = vec![0.0; self.geometry.taps() * shape.channels];
        for at in (0..total).step_by(stride) {
            let image = &values[at / output.pixels() * shape.len()..][..shape.len()];
            let pixel = at % output.pixels();
            gather(&self.geometry, shape, image, [pixel / output.width, pixel % output.width], &mut window);
            see(&window);
        }
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let output = if self.geometry.depthwise { self.lower_depthwise(at, step) } else { self.lower_dense(at, step) };
        output.map(|part| vec![part])
    }
}

impl Conv {
    fn layer<'a>(&self, at: &Lowering<'a>, step: &Step, parts: &[Stored]) -> Result<FloatLayer<'a>> {
        let bias = self.bias.ok_or_else(|| Error::Invalid("has a norm that was not folded".into()))?;
        Ok(FloatLayer {
            weights: at.param(self.weight),
            bias: at.param(bias),
            taps: self.geometry.taps(),
            sources: self.sources(at.shape(at.input(step, 0)), parts)?,
        })
    }

    fn lower_dense(&self, at: &mut Lowering, step: &Step) -> Result<Part> {
        let input = at.input(step, 0);
        let mut parts = at.parts(input);
        if parts.len() > 2 {
            parts = vec![at.whole(input)?];
        }
        let stored: Vec<Stored> = parts.iter().map(Part::stored).collect();
        let layer = at.quantized(step, &self.layer(at, step, &stored)?)?;
        let weights = at.weights(&layer);
        let (output, requantization) = at.finish(step, &layer)?;
        let conv_input = |p: &Part| ConvInput { tensor: p.tensor, upsample: p.upsample };
        let conv = integer::Conv2d {
            a: conv_input(&parts[0]),
            b: parts.get(1).map(conv_input),
            output: output.tensor,
            window: window(&self.geometry)?,
            groups: 1,
            weights,
            requantization,
            scratch: 0,
        };
        at.builder.push(match layer.four_bits {
            true => integer::Op::PackedConv2d(integer::Packed { layer: conv, block: 1 }),
            false => integer::Op::Conv2d(conv),
        });
        Ok(output)
    }

    fn lower_depthwise(&self, at: &mut Lowering, step: &Step) -> Result<Part> {
        let part = at.whole(at.input(step, 0))?;
        let layer = at.quantized(step, &self.layer(at, step, &[part.stored()])?)?;
        let weights = at.builder.i8_table(&by_tap(&layer, self.geometry.taps()));
        let (output, requantization) = at.finish(step, &layer)?;
        at.builder.push(integer::Op::Depthwise(integer::Depthwise {
            input: ConvInput { tensor: part.tensor, upsample: false },
            output: output.tensor,
            window: window(&self.geometry)?,
            weights,
            requantization,
            scratch: 0,
        }));
        Ok(output)
    }
}

/// Weights of rows a channel as `[tap][channel]`.
fn by_tap(layer: &IntegerLayer, taps: usize) -> Vec<i8> {
    let stride = brownian::kernels::row_stride(taps);
    (0..taps).flat_map(|tap| layer.weights.chunks_exact(stride).map(move |row| row[tap])).collect()
}

fn window(geometry: &ConvGeometry) -> Result<WindowSpec> {
    let pair = |what: &str, [a, b]: [usize; 2]| Ok::<_, Error>([narrow(what, a)?, narrow(what, b)?]);
    Ok(WindowSpec {
        kernel: pair("the kernel", geometry.kernel)?,
        stride: pair("the stride", geometry.stride)?,
        pad: pair("the padding", geometry.pad)?,
        dilation: pair("the dilation", geometry.dilation)?,
    })
}

/// The values under the window at an output pixel, zeros in the padding.
fn gather(geometry: &ConvGeometry, shape: Shape, image: &[f32], [y, x]: [usize; 2], window: &mut [f32]) {
    let mut rest = window.chunks_exact_mut(shape.channels);
    for ky in 0..geometry.kernel[0] {
        for kx in 0..geometry.kernel[1] {
            let Some(values) = rest.next() else { return };
            let row = (y * geometry.stride[0] + ky * geometry.dilation[0]).wrapping_sub(geometry.pad[0]);
            let column = (x * geometry.stride[1] + kx * geometry.dilation[1]).wrapping_sub(geometry.pad[1]);
            if row < shape.height && column < shape.width {
                values.copy_from_slice(&image[(row * shape.width + column) * shape.channels..][..shape.channels]);
            } else {
                values.fill(0.0);
            }
        }
    }
}
