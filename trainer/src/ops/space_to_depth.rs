//! Blocks of pixels into channels: how a network takes an image in pieces.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::space::{self, Direction};
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::Stored;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops as integer;

/// Moves blocks of pixels into channels; output channel (dy·columns + dx)·C + c.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceToDepth {
    /// Rows and columns of a block.
    pub block: [usize; 2],
}

is_its_own_layer!(SpaceToDepth);

impl Operation for SpaceToDepth {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let ([s], [rows, columns]) = (operands(inputs)?, self.block);
        if rows == 0 || columns == 0 || !s.height.is_multiple_of(rows) || !s.width.is_multiple_of(columns) {
            return Err(Error::Invalid(format!("{s} does not split into blocks of {rows}x{columns}")));
        }
        Ok(Shape::new(s.height / rows, s.width / columns, s.channels * rows * columns))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        space::forward(at.values[0], at.output, self.block, Direction::ToDepth)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        space::space(tape, at.inputs[0], self.block, Direction::ToDepth)
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
