//! Channels into blocks of pixels: how a network puts an image together from pieces.
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

/// Moves channels into blocks of pixels: the inverse of `SpaceToDepth`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct DepthToSpace {
    /// Rows and columns of a block.
    pub block: [usize; 2],
    /// Rows at the bottom and columns at the right of what the blocks make that are left out.
    pub crop: [usize; 2],
}

is_its_own_layer!(DepthToSpace);

impl Operation for DepthToSpace {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let ([s], [rows, columns]) = (operands(inputs)?, self.block);
        if rows == 0 || columns == 0 || !s.channels.is_multiple_of(rows * columns) {
            return Err(Error::Invalid(format!("{} channels do not make blocks of {rows}x{columns}", s.channels)));
        }
        let (height, width) = (s.height * rows, s.width * columns);
        if self.crop[0] >= height || self.crop[1] >= width {
            let [rows, columns] = self.crop;
            return Err(Error::Invalid(format!("nothing is left of {height}x{width} without {rows}x{columns}")));
        }
        Ok(Shape::new(height - self.crop[0], width - self.crop[1], s.channels / (rows * columns)))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        let blocks = Blocks { block: self.block, wide: at.output, deep: at.shapes[0] };
        space::forward(at.values[0], blocks, Direction::ToSpace)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        let blocks = Blocks { block: self.block, wide: at.output, deep: at.inputs[0].shape() };
        space::space(tape, at.inputs[0], blocks, Direction::ToSpace)
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
