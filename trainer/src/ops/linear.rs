//! Dense layer over all values of its input.
use super::folding::Folding;
use super::making::{Layer, Making, SILU_GAIN};
use super::operation::{operands, Operation, Weights};
use super::passes::{Inference, Recording};
use crate::autograd::conv::{self, conv};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::layout::{BlockId, Init};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::layer::FloatLayer;
use crate::lower::scale::Stored;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops as integer;
use serde::Serialize;

/// Dense layer over all values of the input: weights `[O][H·W·I]`, output 1×1×O.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Linear {
    /// Number of outputs.
    pub outputs: usize,
    /// Weights.
    pub weight: BlockId,
    /// Bias.
    pub bias: BlockId,
}

/// A [`Linear`] to be made, with this many outputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LinearLayer(pub usize);

impl Layer for LinearLayer {
    type Op = Linear;

    fn make(self, at: &mut Making) -> Result<Linear> {
        let ([x], outputs) = (operands(at.inputs)?, self.0);
        if outputs == 0 {
            return Err(Error::Invalid("a dense layer needs at least one output".into()));
        }
        let std = SILU_GAIN / (x.len() as f32).sqrt();
        let weight = at.param("weight", vec![outputs, x.len()], Init::Normal(std));
        Ok(Linear { outputs, weight, bias: at.param("bias", vec![outputs], Init::Constant(0.0)) })
    }
}

impl Operation for Linear {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        operands(inputs).map(|[_]| Shape::new(1, 1, self.outputs))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        let shapes = conv::Conv::linear(at.shapes[0].len(), at.output.len());
        shapes.forward(at.values[0], at.param(self.weight), Some(at.param(self.bias)))
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        let x = at.inputs[0].flat();
        let shapes = conv::Conv::linear(x.shape().channels, at.output.channels);
        let (weight, bias) = (at.range(self.weight), Some(at.range(self.bias)));
        conv(tape, &x, shapes, at.params, weight, bias, at.inputs_learn)
    }

    fn folded(&self, to: &mut Folding) -> Self {
        Self { weight: to.copy(self.weight), bias: to.copy(self.bias), ..*self }
    }

    fn role(&self) -> Role {
        Role::Accumulates
    }

    fn weights(&self) -> Option<Weights> {
        Some(Weights { weight: self.weight, taps: 1, dense: true })
    }

    fn macs(&self, inputs: &[Shape], output: Shape) -> usize {
        output.len() * inputs[0].len()
    }

    fn sources(&self, input: Shape, parts: &[Stored]) -> Result<Vec<Stored>> {
        Ok(vec![Stored { channels: input.len(), quantization: Stored::joined(parts)? }])
    }

    fn windows(&self, [shape, _]: [Shape; 2], values: &[f32], _: usize, see: &mut dyn FnMut(&[f32])) {
        values.chunks_exact(shape.len()).for_each(see);
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let input = at.input(step, 0);
        let part = at.whole(input)?;
        let sources = self.sources(at.shape(input), &[part.stored()])?;
        let (weights, bias) = (at.param(self.weight), at.param(self.bias));
        let layer = at.quantized(step, &FloatLayer { weights, bias, taps: 1, sources })?;
        let weights = at.weights(&layer);
        let (output, requantization) = at.finish(step, &layer)?;
        let linear = integer::Linear { input: part.tensor, output: output.tensor, weights, requantization, scratch: 0 };
        at.builder.push(match layer.four_bits {
            true => integer::Op::PackedLinear(integer::Packed { layer: linear, block: 1 }),
            false => integer::Op::Linear(linear),
        });
        Ok(vec![output])
    }
}
