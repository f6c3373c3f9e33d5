//! What a chain follows place by place, such as a mel spectrogram: the second input of a network.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::Quantization;
use crate::lower::step::Step;
use crate::{Error, Result};
use brownian::ops as integer;
use serde::Serialize;

/// The local condition: values from -1 to 1, the same in every step of a chain. Of it and of what depends on it alone a chip
/// computes nothing after the start of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct LocalCondition {
    /// Places along the signal.
    pub frames: usize,
    /// Values of a place.
    pub bands: usize,
}

is_its_own_layer!(LocalCondition);

impl LocalCondition {
    /// The values as a chip gets them, which are thus what every network sees: 127·x is an integer from −127 to 127.
    pub const QUANTIZATION: Quantization = Quantization { scale: 1.0 / 127.0, zero_point: 0 };
}

impl Operation for LocalCondition {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [] = operands(inputs)?;
        match self.frames * self.bands {
            0 => Err(Error::Invalid("a local condition of no values says nothing".into())),
            _ => Ok(Shape::new(1, self.frames, self.bands)),
        }
    }

    fn forward(&self, at: &Inference) -> Buffer {
        Buffer::copy_of(at.values[0])
    }

    fn record(&self, _: &mut Tape, at: &mut Recording) -> Act {
        at.inputs[0].clone()
    }

    fn fixed(&self) -> Option<Quantization> {
        Some(Self::QUANTIZATION)
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let output = at.result(step, Self::QUANTIZATION)?;
        // What else is computed once is counted when all ops are there.
        at.builder.push(integer::Op::LocalCondition(integer::LocalCondition { output: output.tensor, prelude: 1 }));
        Ok(vec![output])
    }
}
