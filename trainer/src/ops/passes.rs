//! What an op sees of the network in the two float passes.
use crate::autograd::optimizer::Parameters;
use crate::autograd::tape::Act;
use crate::graph::layout::{BlockId, Layout};
use crate::graph::shape::Shape;
use std::ops::Range;

/// An op in a pass without gradients. The input op has the state x_t as its one operand, a local
/// condition itself.
#[derive(Clone, Copy, Debug)]
pub struct Inference<'a> {
    /// The values of each input, NHWC, for the whole batch.
    pub values: &'a [&'a [f32]],
    /// The shapes of the inputs.
    pub shapes: &'a [Shape],
    /// The shape of the result.
    pub output: Shape,
    /// Where parameters lie, and all of them.
    pub params: (&'a Layout, &'a [f32]),
    /// Bias columns, one row an image, and the length of a row.
    pub columns: (&'a [f32], usize),
}

impl<'a> Inference<'a> {
    /// The values of a block of parameters.
    pub fn param(&self, id: BlockId) -> &'a [f32] {
        self.params.0.slice(id, self.params.1)
    }
}

/// An op in a recorded pass. The input op has the state x_t as its one operand, a local
/// condition itself.
#[derive(Debug)]
pub struct Recording<'a> {
    /// The inputs.
    pub inputs: &'a [&'a Act],
    /// Whether anything up to the inputs has a gradient.
    pub inputs_learn: bool,
    /// The shape of the result.
    pub output: Shape,
    /// Where parameters lie.
    pub layout: &'a Layout,
    /// All parameters.
    pub params: &'a Parameters,
    /// Bias columns, one 1×1 vector an image.
    pub columns: &'a Act,
    /// Where statistics of norms lie, and those of this batch, which the op sets.
    pub stats: (&'a Layout, &'a mut [f32]),
}

impl Recording<'_> {
    /// Where a block lies in the flat vector of parameters.
    pub fn range(&self, id: BlockId) -> Range<usize> {
        self.layout.blocks[id].range.clone()
    }

    /// Sets a block of the batch's statistics.
    pub fn put_stats(&mut self, id: BlockId, values: &[f32]) {
        let (layout, stats) = &mut self.stats;
        stats[layout.blocks[id].range.clone()].copy_from_slice(values);
    }
}
