//! The state x_t, where a network begins.
use super::operation::Operation;
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::step::Step;
use crate::{Error, Result};
use serde::Serialize;

/// The state x_t: node 0 of every graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Input;

impl Operation for Input {
    fn shape(&self, _: &[Shape]) -> Result<Shape> {
        Err(Error::Invalid("a graph has its one input already".into()))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        Buffer::copy_of(at.values[0])
    }

    fn record(&self, _: &mut Tape, at: &mut Recording) -> Act {
        at.inputs[0].clone()
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        Ok(vec![at.rounded(step.node)?])
    }
}
