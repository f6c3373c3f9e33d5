//! Channels into blocks of pixels: how a network puts an image together from pieces.
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

/// Moves channels into blocks of pixels: the inverse of `SpaceToDepth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DepthToSpace {
    /// Rows and columns of a block.
    pub block: [usize; 2],
}

is_its_own_layer!(DepthToSpace);

impl Operation for DepthToSpace {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let ([s], [rows, columns]) = (operands(inputs)?, self.block);
        if rows == 0 || columns == 0 || !s.channels.is_multiple_of(rows * columns) {
            return Err(Error::Invalid(format!("{} channels do not make blocks of {rows}x{columns}", s.channels)));
        }
        Ok(Shape::new(s.height * rows, s.width * columns, s.channels / (rows * columns)))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        space::forward(at.values[0], at.shapes[0], self.block, Direction::ToSpace)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        space::space(tape, at.inputs[0], self.block, Direction::ToSpace)
    }

    fn role(&self) -> Role {
        Role::Moves
    }

    fn stored(&self, inputs: &[&[Stored]], output: Shape) -> Result<Option<Vec<Stored>>> {
        Ok(Some(vec![Stored { channels: output.channels, quantization: Stored::joined(inputs[0])? }]))
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        at.moved(step, self.block, |input, output, block| {
            integer::Op::DepthToSpace(integer::DepthToSpace { input, output, block })
        })
    }
}
