//! Blocks of pixels into channels: how a network takes an image in pieces.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::space::{self, Blocks, Direction};
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::Stored;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops as integer;
use serde::Serialize;

/// Moves blocks of pixels into channels; output channel (dy·columns + dx)·C + c.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct SpaceToDepth {
    /// Rows and columns of a block.
    pub block: [usize; 2],
    /// Rows of zeros below and columns of zeros to the right of the image, which then splits into blocks.
    pub pad: [usize; 2],
}

is_its_own_layer!(SpaceToDepth);

impl Operation for SpaceToDepth {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let ([s], [rows, columns]) = (operands(inputs)?, self.block);
        let (height, width) = (s.height + self.pad[0], s.width + self.pad[1]);
        if rows == 0 || columns == 0 || !height.is_multiple_of(rows) || !width.is_multiple_of(columns) {
            return Err(Error::Invalid(format!("{height}x{width} does not split into blocks of {rows}x{columns}")));
        }
        Ok(Shape::new(height / rows, width / columns, s.channels * rows * columns))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        let blocks = Blocks { block: self.block, wide: at.shapes[0], deep: at.output };
        space::forward(at.values[0], blocks, Direction::ToDepth)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        let blocks = Blocks { block: self.block, wide: at.inputs[0].shape(), deep: at.output };
        space::space(tape, at.inputs[0], blocks, Direction::ToDepth)
    }

    fn role(&self) -> Role {
        Role::Moves
    }

    fn stored(&self, inputs: &[&[Stored]], output: Shape) -> Result<Option<Vec<Stored>>> {
        Ok(Some(vec![Stored { channels: output.channels, quantization: Stored::joined(inputs[0])? }]))
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        at.moved(step, self.block, |input, output, block| {
            integer::Op::SpaceToDepth(integer::SpaceToDepth { input, output, block })
        })
    }
}
