//! What an op works with while it is lowered: the values made so far, and the model that is being built.
use super::bias_columns::BiasColumns;
use super::builder::ModelBuilder;
use super::layer::{FloatLayer, IntegerLayer};
use super::moments::Moments;
use super::part::{block, extent};
pub use super::part::{narrow, Part};
use super::scale::{Quantization, Range, Stored};
use super::step::{Function, Step};
use crate::graph::layout::{BlockId, Layout};
use crate::graph::shape::{NodeId, Shape};
use crate::{Error, Result};
use brownian::format::{Element, Tensor};
use brownian::ops::{self as integer, Op, Requantization};

/// An op with weights: which nodes it computes, and what its results mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Accumulator {
    /// Number of the op.
    pub op: usize,
    /// The node whose weights and biases it has.
    pub layer: NodeId,
    /// The node whose value the op's result is, if no activation is fused with it.
    pub requantized: NodeId,
    /// Scale and zero point of that value.
    pub quantization: Quantization,
}

/// A node of the graph as far as lowering needs it.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The node's name.
    pub name: &'a str,
    /// Its inputs.
    pub inputs: &'a [NodeId],
    /// The shape of its result.
    pub shape: Shape,
}

/// What is known of a network before it is lowered, one entry a node.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The nodes.
    pub places: &'a [Place<'a>],
    /// Where parameters lie, and all of them.
    pub params: (&'a Layout, &'a [f32]),
    /// Ranges of the results.
    pub ranges: &'a [Range],
    /// Moments of what layers with four-bit weights read; may be empty.
    pub moments: &'a [Option<Moments>],
    /// Whether the state is of bits: a chip reads them as −127 and 127, and the output by shifts.
    pub bits: bool,
}

/// A model in the making.
pub struct Lowering<'a> {
    known: Known<'a>,
    /// The file's ops and tables.
    pub builder: ModelBuilder,
    /// The columns of channel biases.
    pub biases: BiasColumns,
    /// Parts of each node's value, along the channels.
    values: Vec<Vec<Part>>,
    output_scale: f64,
    accumulators: Vec<Accumulator>,
    warnings: Vec<String>,
}

/// What is left when all ops are made.
pub struct Made {
    /// The file's ops and tables.
    pub builder: ModelBuilder,
    /// The columns of channel biases, all assigned.
    pub biases: BiasColumns,
    /// The ops with weights.
    pub accumulators: Vec<Accumulator>,
    /// What could not be kept, each with the name of its layer.
    pub warnings: Vec<String>,
}

/// A multiplier below this has lost more than half of its bits.
const SMALLEST_MULTIPLIER: i16 = 1 << 5;
/// Room above the largest output seen in calibration.
const WIDE_MARGIN: f64 = 1.25;

/// Bits as a network reads them: −127 and 127.
const BIT_INPUT: Quantization = Quantization { scale: 1.0 / 127.0, zero_point: 0 };
/// The exponents of the scales that an output over bits may have.
const BIT_SCALES: std::ops::RangeInclusive<i32> = -20..=-4;

/// The least power of two that is not below a scale, among those that a chain over bits reads.
fn power_of_two(scale: f64) -> Result<f64> {
    let exponent = (scale.log2().ceil() as i32).max(*BIT_SCALES.start());
    if !BIT_SCALES.contains(&exponent) {
        return Err(Error::Invalid("its logits are beyond 2000; the training has diverged".into()));
    }
    Ok(f64::from(exponent).exp2())
}

impl<'a> Lowering<'a> {
    /// Nothing lowered yet.
    pub fn new(known: Known<'a>, biases: BiasColumns) -> Self {
        Self {
            values: vec![Vec::new(); known.places.len()],
            known,
            biases,
            builder: ModelBuilder::default(),
            output_scale: 1.0,
            accumulators: vec![],
            warnings: vec![],
        }
    }

    /// Sets the value of a node.
    pub fn put(&mut self, id: NodeId, parts: Vec<Part>) {
        self.values[id] = parts;
    }

    /// The output tensor and its scale.
    ///
    /// # Errors
    /// A value that is no single tensor of 16 bits.
    pub fn output(&self) -> Result<(Tensor, f64)> {
        match self.values.last().map(Vec::as_slice) {
            Some([part]) if part.tensor.element == Element::I16 => Ok((part.tensor, self.output_scale)),
            _ => Err(Error::Invalid("the network has no 16-bit output".into())),
        }
    }

    /// What has been made.
    pub fn into_made(self) -> Made {
        let Self { builder, biases, accumulators, warnings, .. } = self;
        Made { builder, biases, accumulators, warnings }
    }

    /// Says that something of a node could not be kept.
    pub fn warn(&mut self, id: NodeId, what: &str) {
        self.warnings.push(format!("layer {}: {what}", self.known.places[id].name));
    }

    /// Input number `index` of the node that a step starts with.
    pub fn input(&self, step: &Step, index: usize) -> NodeId {
        self.known.places[step.node].inputs[index]
    }

    /// The shape of a node's value.
    pub fn shape(&self, id: NodeId) -> Shape {
        self.known.places[id].shape
    }

    /// The values of a block of parameters.
    pub fn param(&self, id: BlockId) -> &'a [f32] {
        self.known.params.0.slice(id, self.known.params.1)
    }

    /// The parts of a node's value.
    pub fn parts(&self, id: NodeId) -> Vec<Part> {
        self.values[id].clone()
    }

    /// The quantization that covers the range of a node's value.
    ///
    /// # Errors
    /// A range that is not finite.
    pub fn covering(&self, id: NodeId) -> Result<Quantization> {
        match (self.known.bits, id) {
            (true, 0) => Ok(BIT_INPUT),
            _ => Quantization::covering(self.known.ranges[id]),
        }
    }

    /// A new tensor of eight bits for a node's value, with the quantization that covers its range.
    ///
    /// # Errors
    /// A range that is not finite, or a shape that the format does not hold.
    pub fn rounded(&mut self, id: NodeId) -> Result<Part> {
        let quantization = self.covering(id)?;
        self.part(self.shape(id), quantization)
    }

    /// A new tensor of eight bits for a step's result.
    ///
    /// # Errors
    /// A shape that the format does not hold.
    pub fn result(&mut self, step: &Step, quantization: Quantization) -> Result<Part> {
        self.part(self.shape(step.result), quantization)
    }

    fn part(&mut self, shape: Shape, quantization: Quantization) -> Result<Part> {
        let tensor = self.tensor(shape, Element::I8, quantization.zero_point)?;
        Ok(Part { tensor, quantization, upsample: false })
    }

    fn tensor(&mut self, shape: Shape, element: Element, zero_point: i8) -> Result<Tensor> {
        let dimensions = [
            narrow("the height of its result", shape.height)?,
            narrow("the width of its result", shape.width)?,
            narrow("the channels of its result", shape.channels)?,
        ];
        Ok(self.builder.tensor(dimensions, element, zero_point))
    }

    /// The value of a node as one tensor; parts that are only read together are copied into one.
    ///
    /// # Errors
    /// A shape that the format does not hold.
    pub fn whole(&mut self, id: NodeId) -> Result<Part> {
        let parts = self.parts(id);
        let stored: Vec<Stored> = parts.iter().map(Part::stored).collect();
        let quantization = Stored::joined(&stored)?;
        let mut whole: Option<Part> = None;
        for part in parts {
            let part = self.requantized(part, quantization)?;
            let part = self.plain(part)?;
            whole = Some(match whole {
                None => part,
                Some(front) => {
                    let mut shape = extent(&front.tensor);
                    shape.channels += extent(&part.tensor).channels;
                    let output = self.part(shape, quantization)?;
                    let (a, b) = (front.tensor, part.tensor);
                    self.builder.push(Op::Concat(integer::Concat { a, b, output: output.tensor }));
                    output
                }
            });
        }
        whole.ok_or_else(|| Error::Invalid("one of its inputs has no value".into()))
    }

    /// The part after a table of 256 values, which mean `quantization`.
    ///
    /// # Errors
    /// A shape that the format does not hold.
    pub fn look_up(&mut self, part: Part, table: [i8; 256], quantization: Quantization) -> Result<Part> {
        let output = self.part(extent(&part.tensor), quantization)?.tensor;
        let table = self.builder.i8_table(&table);
        self.builder.push(Op::Lut(integer::Lut { input: part.tensor, output, table }));
        Ok(Part { tensor: output, quantization, ..part })
    }

    /// The part in another quantization.
    ///
    /// # Errors
    /// As [`Self::look_up`].
    pub fn requantized(&mut self, part: Part, quantization: Quantization) -> Result<Part> {
        if part.quantization == quantization {
            return Ok(part);
        }
        let table = part.quantization.lut_to(&quantization, |x| x);
        self.look_up(part, table, quantization)
    }

    /// The part behind a function.
    ///
    /// # Errors
    /// As [`Self::look_up`].
    pub fn activated(&mut self, part: Part, function: Function) -> Result<Part> {
        let (table, quantization) = part.quantization.lut(function)?;
        self.look_up(part, table, quantization)
    }

    /// The part as a tensor that is read as it is.
    ///
    /// # Errors
    /// As [`Self::enlarged`].
    pub fn plain(&mut self, part: Part) -> Result<Part> {
        match part.upsample {
            true => self.enlarged(Part { upsample: false, ..part }, [2, 2]),
            false => Ok(part),
        }
    }

    /// The part with every pixel repeated.
    ///
    /// # Errors
    /// A shape or a factor that the format does not hold.
    pub fn enlarged(&mut self, part: Part, factor: [usize; 2]) -> Result<Part> {
        let block = block("the factor of enlargement", factor)?;
        let mut shape = extent(&part.tensor);
        (shape.height, shape.width) = (shape.height * factor[0], shape.width * factor[1]);
        let output = self.part(shape, part.quantization)?.tensor;
        self.builder.push(Op::Upsample(integer::Upsample { input: part.tensor, output, block }));
        Ok(Part { tensor: output, ..part })
    }

    /// The one input of a step, its values moved to the step's result by the op that `op` makes of input, output and
    /// block.
    ///
    /// # Errors
    /// A shape or a block that the format does not hold.
    pub fn moved(
        &mut self,
        step: &Step,
        factor: [usize; 2],
        op: fn(Tensor, Tensor, [u8; 2]) -> Op,
    ) -> Result<Vec<Part>> {
        let part = self.whole(self.input(step, 0))?;
        let output = self.tensor(self.shape(step.result), part.tensor.element, part.tensor.zero_point)?;
        let block = block("the block of pixels", factor)?;
        self.builder.push(op(part.tensor, output, block));
        Ok(vec![Part { tensor: output, ..part }])
    }

    /// A layer's weights and biases in integers: with four bits where there are moments of what it reads.
    ///
    /// # Errors
    /// Numbers that are not finite or too large.
    pub fn quantized(&mut self, step: &Step, layer: &FloatLayer) -> Result<IntegerLayer> {
        let moments = self.known.moments.get(step.node).and_then(Option::as_ref);
        let least = step.step_bias.map(|first| self.biases.least_units(first, layer.bias.len()));
        let (layer, warnings) = layer.quantize(moments, least.as_deref())?;
        warnings.iter().for_each(|what| self.warn(step.node, what));
        Ok(layer)
    }

    /// The weights as a table, two a byte where they have four bits.
    pub fn weights(&mut self, layer: &IntegerLayer) -> u32 {
        if !layer.four_bits {
            return self.builder.i8_table(&layer.weights);
        }
        let pair = |pair: &[i8; 2]| (pair[0] as u8 & 0x0f) | (pair[1] as u8) << 4;
        self.builder.table(&layer.weights.as_chunks::<2>().0.iter().map(pair).collect::<Vec<_>>())
    }

    /// The table of an activation taken in behind values of `inner`, if there is one, and what the results then mean.
    ///
    /// # Errors
    /// A range that is not finite.
    pub fn fused(&mut self, step: &Step, inner: Quantization) -> Result<(Option<u32>, Quantization)> {
        let Some(function) = step.activation else { return Ok((None, inner)) };
        let (table, output) = inner.lut(function)?;
        Ok((Some(self.builder.i8_table(&table)), output))
    }

    /// The output and requantization of an op that accumulates; the op itself is to be pushed next.
    ///
    /// # Errors
    /// Numbers or shapes that the format does not hold.
    pub fn finish(&mut self, step: &Step, layer: &IntegerLayer) -> Result<(Part, Requantization)> {
        let step_bias = step.step_bias.map(|first| self.biases.assign(first, &layer.unit)).transpose()?;
        let residual = step.residual.map(|id| self.whole(id)).transpose()?;
        let inner = if step.wide {
            let largest = self.known.ranges[step.requantized].finite()?.largest();
            Quantization { scale: f64::from(largest) * WIDE_MARGIN / 32767.0, zero_point: 0 }
        } else {
            self.covering(step.requantized)?
        };
        let mut inner = inner.at_least(layer.finest_output());
        if step.wide && self.known.bits {
            inner.scale = power_of_two(inner.scale)?;
        }
        let requantizer = layer
            .requantizer(inner.scale, inner.zero_point, residual.map(|r| r.quantization))
            .ok_or_else(|| Error::Invalid("its numbers do not fit 16-bit multipliers".into()))?;
        if requantizer.multipliers.iter().any(|m| *m < SMALLEST_MULTIPLIER) {
            self.warn(
                step.node,
                "its sums are so small beside its residual or each other that their scale is rounded coarsely",
            );
        }
        let (lut, quantization) = self.fused(step, inner)?;
        let element = if step.wide { Element::I16 } else { Element::I8 };
        let tensor = self.tensor(self.shape(step.result), element, quantization.zero_point)?;
        if step.wide {
            self.output_scale = inner.scale;
        }
        let requantization = Requantization {
            bias: self.builder.i32_table(&layer.bias),
            multipliers: self.builder.i16_table(&requantizer.multipliers),
            offset: requantizer.offset,
            shift: requantizer.shift,
            step_bias,
            residual: residual.zip(requantizer.residual).map(|(part, (multiplier, shift))| integer::Residual {
                tensor: part.tensor,
                multiplier,
                shift,
            }),
            lut,
        };
        self.accumulators.push(Accumulator {
            op: self.builder.op_count(),
            layer: step.node,
            requantized: step.requantized,
            quantization: inner,
        });
        Ok((Part { tensor, quantization, upsample: false }, requantization))
    }
}
