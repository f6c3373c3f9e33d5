//! Turns fused steps into runtime ops.

use super::builder::ModelBuilder;
use super::fuse::Step;
use super::layer::{sum_requantizer, FloatLayer, IntegerLayer};
use super::moments::Moments;
use super::scale::{Quantization, Range};
use super::tables::BiasColumns;
use crate::graph::{Activation, ConvGeometry, NodeId};
use crate::network::{LayerOp, Network};
use crate::{Error, Result};
use brownian::format::{self, ConvInput, Element, Op, Requantization, StepBias, Tensor, WindowSpec};

/// A tensor with its quantization, read enlarged twofold or as it is.
#[derive(Clone, Copy, Debug)]
struct Part {
    tensor: Tensor,
    quantization: Quantization,
    upsample: bool,
}

/// Lowers one step after the other.
pub struct Lowering<'a> {
    network: &'a Network,
    moments: &'a [Option<Moments>],
    ranges: &'a [Range],
    biases: BiasColumns,
    builder: ModelBuilder,
    /// Parts of each layer's value, along the channels.
    values: Vec<Vec<Part>>,
    output_scale: f64,
    accumulators: Vec<Accumulator>,
}

/// An op with weights: which layers it computes, and what its results mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accumulator {
    /// Number of the op.
    pub op: usize,
    /// The layer whose weights and biases it has.
    pub layer: NodeId,
    /// The layer whose value the op's result is, if no activation is fused with it.
    pub requantized: NodeId,
    /// Scale and zero point of that value.
    pub quantization: Quantization,
}

impl<'a> Lowering<'a> {
    pub fn new(network: &'a Network, ranges: &'a [Range], biases: BiasColumns, moments: &'a [Option<Moments>]) -> Self {
        let values = vec![Vec::new(); network.layers.len()];
        Self {
            network,
            moments,
            ranges,
            biases,
            builder: ModelBuilder::default(),
            values,
            output_scale: 1.0,
            accumulators: vec![],
        }
    }

    /// Makes the input tensor.
    pub fn input(&mut self) -> (Tensor, Quantization) {
        let quantization = Quantization::covering(self.ranges[0]);
        let tensor = self.tensor(0, Element::I8, quantization.zero_point);
        self.values[0] = vec![Part { tensor, quantization, upsample: false }];
        (tensor, quantization)
    }

    /// The output tensor and its scale.
    pub fn output(&self) -> Result<(Tensor, f64)> {
        match self.values.last().map(Vec::as_slice) {
            Some([part]) if part.tensor.element == Element::I16 => Ok((part.tensor, self.output_scale)),
            _ => Err(Error::Invalid("the network has no 16-bit output".into())),
        }
    }

    pub fn into_parts(self) -> (ModelBuilder, BiasColumns, Vec<Accumulator>) {
        (self.builder, self.biases, self.accumulators)
    }

    /// Lowers one step.
    pub fn step(&mut self, step: &Step) -> Result<()> {
        let layer = &self.network.layers[step.layer];
        let inputs = layer.inputs.clone();
        let value = match &layer.op {
            LayerOp::Input => return Ok(()),
            LayerOp::Conv { geometry, weights, bias } if geometry.depthwise => {
                vec![self.depthwise(step, geometry, weights, bias)?]
            }
            LayerOp::Conv { geometry, weights, bias } => vec![self.conv(step, geometry, weights, bias)?],
            LayerOp::Linear { weights, bias } => vec![self.linear(step, weights, bias)?],
            LayerOp::Add => vec![self.add(step)?],
            LayerOp::ChannelBias { first } => vec![self.channel_bias(step, *first)?],
            LayerOp::Activation(kind) => {
                let parts = self.values[inputs[0]].clone();
                parts.into_iter().map(|part| self.activation(part, *kind)).collect()
            }
            LayerOp::Concat => [self.values[inputs[0]].clone(), self.values[inputs[1]].clone()].concat(),
            LayerOp::Upsample => self.upsample(step)?,
            LayerOp::SpaceToDepth { block } => vec![self.blocks(step, *block, true)?],
            LayerOp::DepthToSpace { block } => vec![self.blocks(step, *block, false)?],
        };
        self.values[step.result] = value;
        Ok(())
    }

    fn tensor(&mut self, id: NodeId, element: Element, zero_point: i8) -> Tensor {
        let shape = self.network.layers[id].shape;
        self.builder.tensor([shape.height, shape.width, shape.channels], element, zero_point)
    }

    /// The value of a layer as one tensor; parts that are only read together are copied into one.
    fn whole(&mut self, id: NodeId) -> Result<Part> {
        let parts = self.values[id].clone();
        let quantization = match parts.as_slice() {
            [] => return Err(Error::Invalid(format!("layer {} has no value yet", self.network.layers[id].name))),
            [part] => part.quantization,
            // One scale for all, as coarse as the coarsest needs.
            _ => {
                let end = |q: i8| parts.iter().map(move |p| p.quantization.real(q) as f32);
                let mut range = Range::EMPTY;
                range.extend(&end(-128).chain(end(127)).collect::<Vec<_>>());
                Quantization::covering(range)
            }
        };
        let mut whole: Option<Part> = None;
        for part in parts {
            let part = self.requantized(part, quantization);
            let part = if part.upsample { self.enlarged(part, [2, 2]) } else { part };
            whole = Some(match whole {
                None => part,
                Some(front) => {
                    let [h, w, c] = front.tensor.shape.map(usize::from);
                    let channels = c + usize::from(part.tensor.shape[2]);
                    let output = self.builder.tensor([h, w, channels], Element::I8, quantization.zero_point);
                    self.builder.push(Op::Concat(format::Concat { a: front.tensor, b: part.tensor, output }));
                    Part { tensor: output, quantization, upsample: false }
                }
            });
        }
        whole.ok_or_else(|| Error::Invalid("a value without parts".into()))
    }

    fn look_up(&mut self, part: Part, table: [i8; 256], quantization: Quantization) -> Part {
        let output = self.builder.tensor(part.tensor.shape.map(usize::from), Element::I8, quantization.zero_point);
        let table = self.builder.i8_table(&table);
        self.builder.push(Op::Lut(format::Lut { input: part.tensor, output, table }));
        Part { tensor: output, quantization, ..part }
    }

    fn requantized(&mut self, part: Part, quantization: Quantization) -> Part {
        if part.quantization == quantization {
            return part;
        }
        let table = part.quantization.lut_to(&quantization, |x| x);
        self.look_up(part, table, quantization)
    }

    fn activation(&mut self, part: Part, kind: Activation) -> Part {
        let (table, quantization) = part.quantization.lut(kind.function());
        self.look_up(part, table, quantization)
    }

    fn enlarged(&mut self, part: Part, block: [u8; 2]) -> Part {
        let [h, w, c] = part.tensor.shape.map(usize::from);
        let shape = [h * usize::from(block[0]), w * usize::from(block[1]), c];
        let output = self.builder.tensor(shape, Element::I8, part.tensor.zero_point);
        self.builder.push(Op::Upsample(format::Move { input: part.tensor, output, block }));
        Part { tensor: output, upsample: false, ..part }
    }

    fn upsample(&mut self, step: &Step) -> Result<Vec<Part>> {
        let input = self.network.layers[step.layer].inputs[0];
        if self.network.layers[input].shape.height == 1 {
            let part = self.whole(input)?;
            return Ok(vec![self.enlarged(part, [1, 2])]);
        }
        let parts = self.values[input].clone();
        let enlarge = |part: Part| {
            let part = if part.upsample { self.enlarged(part, [2, 2]) } else { part };
            Part { upsample: true, ..part }
        };
        Ok(parts.into_iter().map(enlarge).collect())
    }

    fn blocks(&mut self, step: &Step, block: usize, to_depth: bool) -> Result<Part> {
        let part = self.whole(self.network.layers[step.layer].inputs[0])?;
        let output = self.tensor(step.result, part.tensor.element, part.tensor.zero_point);
        let block =
            u8::try_from(block).map_err(|_| Error::Invalid(format!("blocks of {block} pixels are too large")))?;
        let op = format::Move { input: part.tensor, output, block: [block; 2] };
        self.builder.push(if to_depth { Op::SpaceToDepth(op) } else { Op::DepthToSpace(op) });
        Ok(Part { tensor: output, ..part })
    }

    fn conv(&mut self, step: &Step, geometry: &ConvGeometry, weights: &[f32], bias: &[f32]) -> Result<Part> {
        let input = self.network.layers[step.layer].inputs[0];
        let mut parts = self.values[input].clone();
        if parts.len() > 2 {
            parts = vec![self.whole(input)?];
        }
        let sources = parts.iter().map(|p| (usize::from(p.tensor.shape[2]), p.quantization)).collect();
        let layer = FloatLayer { weights, bias, taps: geometry.taps(), sources }.quantize(self.moments(step));
        let weights = self.weights(&layer);
        let (output, requantization) = self.finish(step, &layer)?;
        let conv_input = |p: &Part| ConvInput { tensor: p.tensor, upsample: p.upsample };
        let conv = format::Conv2d {
            a: conv_input(&parts[0]),
            b: parts.get(1).map(conv_input),
            output: output.tensor,
            window: window(geometry),
            groups: 1,
            weights,
            requantization,
            scratch: 0,
        };
        self.builder.push(match layer.four_bits {
            true => Op::PackedConv2d(format::Packed { layer: conv, block: 1 }),
            false => Op::Conv2d(conv),
        });
        Ok(output)
    }

    fn depthwise(&mut self, step: &Step, geometry: &ConvGeometry, weights: &[f32], bias: &[f32]) -> Result<Part> {
        let part = self.whole(self.network.layers[step.layer].inputs[0])?;
        let taps = geometry.taps();
        let mut layer = FloatLayer { weights, bias, taps, sources: vec![(1, part.quantization)] }.quantize(None);
        // [channel][row_stride] to [tap][channel].
        let stride = brownian::kernels::row_stride(taps);
        let by_tap = (0..taps).flat_map(|tap| layer.weights.chunks_exact(stride).map(move |row| row[tap]));
        layer.weights = by_tap.collect();
        let weights = self.builder.i8_table(&layer.weights);
        let (output, requantization) = self.finish(step, &layer)?;
        self.builder.push(Op::Depthwise(format::Depthwise {
            input: ConvInput { tensor: part.tensor, upsample: false },
            output: output.tensor,
            window: window(geometry),
            weights,
            requantization,
            scratch: 0,
        }));
        Ok(output)
    }

    fn linear(&mut self, step: &Step, weights: &[f32], bias: &[f32]) -> Result<Part> {
        let part = self.whole(self.network.layers[step.layer].inputs[0])?;
        let sources = vec![(part.tensor.values(), part.quantization)];
        let layer = FloatLayer { weights, bias, taps: 1, sources }.quantize(self.moments(step));
        let weights = self.weights(&layer);
        let (output, requantization) = self.finish(step, &layer)?;
        let linear = format::Linear { input: part.tensor, output: output.tensor, weights, requantization, scratch: 0 };
        self.builder.push(match layer.four_bits {
            true => Op::PackedLinear(format::Packed { layer: linear, block: 1 }),
            false => Op::Linear(linear),
        });
        Ok(output)
    }

    /// The weights as a table, two a byte where they have four bits.
    fn weights(&mut self, layer: &IntegerLayer) -> u32 {
        if !layer.four_bits {
            return self.builder.i8_table(&layer.weights);
        }
        let pair = |pair: &[i8; 2]| (pair[0] as u8 & 0x0f) | (pair[1] as u8) << 4;
        self.builder.table(&layer.weights.as_chunks::<2>().0.iter().map(pair).collect::<Vec<_>>())
    }

    fn moments(&self, step: &Step) -> Option<&'a Moments> {
        self.moments.get(step.layer)?.as_ref()
    }

    /// The output and requantization of a layer that accumulates.
    fn finish(&mut self, step: &Step, layer: &IntegerLayer) -> Result<(Part, Requantization)> {
        let name = &self.network.layers[step.layer].name;
        let step_bias: Option<StepBias> = step.step_bias.map(|first| self.biases.assign(first, &layer.unit));
        let residual = step.residual.map(|id| self.whole(id)).transpose()?;
        let range = self.ranges[step.requantized];
        let inner = if step.wide {
            let scale = f64::from(range.largest()) * WIDE_MARGIN / 32767.0;
            Quantization { scale, zero_point: 0 }
        } else {
            Quantization::covering(range)
        };
        let inner = inner.at_least(layer.finest_output());
        let requantizer = layer
            .requantizer(inner.scale, inner.zero_point, residual.map(|r| r.quantization))
            .ok_or_else(|| Error::Invalid(format!("the numbers of layer {name} do not fit 16-bit multipliers")))?;
        let mut quantization = inner;
        let mut lut = None;
        if let Some(kind) = step.activation {
            let (table, output) = inner.lut(kind.function());
            lut = Some(self.builder.i8_table(&table));
            quantization = output;
        }
        let element = if step.wide { Element::I16 } else { Element::I8 };
        let tensor = self.tensor(step.result, element, quantization.zero_point);
        if step.wide {
            self.output_scale = inner.scale;
        }
        let requantization = Requantization {
            bias: self.builder.i32_table(&layer.bias),
            multipliers: self.builder.i16_table(&requantizer.multipliers),
            offset: requantizer.offset,
            shift: requantizer.shift,
            step_bias,
            residual: residual.zip(requantizer.residual).map(|(part, (multiplier, shift))| format::Residual {
                tensor: part.tensor,
                multiplier,
                shift,
            }),
            lut,
        };
        self.accumulators.push(Accumulator {
            op: self.builder.op_count(),
            layer: step.layer,
            requantized: step.requantized,
            quantization: inner,
        });
        Ok((Part { tensor, quantization, upsample: false }, requantization))
    }

    fn add(&mut self, step: &Step) -> Result<Part> {
        let [a, b] = self.network.layers[step.layer].inputs[..] else {
            return Err(Error::Invalid("a sum needs two operands".into()));
        };
        let (a, b) = (self.whole(a)?, self.whole(b)?);
        let inner = Quantization::covering(self.ranges[step.requantized]);
        let (multipliers, shift, offset) = sum_requantizer([a.quantization, b.quantization], inner)
            .ok_or_else(|| Error::Invalid(format!("the sum {} does not fit", self.network.layers[step.layer].name)))?;
        let mut quantization = inner;
        let mut lut = None;
        if let Some(kind) = step.activation {
            let (table, output) = inner.lut(kind.function());
            lut = Some(self.builder.i8_table(&table));
            quantization = output;
        }
        let output = self.tensor(step.result, Element::I8, quantization.zero_point);
        self.builder.push(Op::Add(format::Add { a: a.tensor, b: b.tensor, output, multipliers, offset, shift, lut }));
        Ok(Part { tensor: output, quantization, upsample: false })
    }

    fn channel_bias(&mut self, step: &Step, first: usize) -> Result<Part> {
        let part = self.whole(self.network.layers[step.layer].inputs[0])?;
        let quantization = Quantization::covering(self.ranges[step.result]);
        let name = &self.network.layers[step.layer].name;
        let ratio = part.quantization.scale / quantization.scale;
        let shift = (1..=14u8)
            .rev()
            .find(|&s| (ratio * f64::from(1u32 << s)).round() <= 32767.0)
            .ok_or_else(|| Error::Invalid(format!("the scales around layer {name} do not fit")))?;
        let multiplier = (ratio * f64::from(1u32 << shift)).round() as i16;
        let channels = usize::from(part.tensor.shape[2]);
        let step_bias = self.biases.assign(first, &vec![quantization.scale / f64::from(1u32 << shift); channels]);
        let zero = i32::from(part.quantization.zero_point) * i32::from(multiplier);
        let output = self.tensor(step.result, Element::I8, quantization.zero_point);
        self.builder.push(Op::ChannelBias(format::ChannelBias {
            input: part.tensor,
            output,
            step_bias,
            multiplier,
            offset: brownian::quant::rounding_offset(shift, quantization.zero_point.into()) - zero,
            shift,
        }));
        Ok(Part { tensor: output, quantization, upsample: false })
    }
}

/// Room above the largest output seen in calibration.
const WIDE_MARGIN: f64 = 1.25;

fn window(geometry: &ConvGeometry) -> WindowSpec {
    let narrow = |v: [usize; 2]| v.map(|n| n as u16);
    WindowSpec {
        kernel: narrow(geometry.kernel),
        stride: narrow(geometry.stride),
        pad: narrow(geometry.pad),
        dilation: narrow(geometry.dilation),
    }
}
