//! The copy of parameters into a layout without norms.
use crate::graph::layout::{BlockId, Init, Layout};

/// Parameters and statistics on their way into a folded layout.
#[derive(Debug)]
pub struct Folding<'a> {
    params: (&'a Layout, &'a [f32]),
    stats: (&'a Layout, &'a [f32]),
    to: Layout,
    values: Vec<f32>,
}

impl<'a> Folding<'a> {
    /// Nothing folded yet.
    pub fn new(params: (&'a Layout, &'a [f32]), stats: (&'a Layout, &'a [f32])) -> Self {
        Self { params, stats, to: Layout::default(), values: Vec::with_capacity(params.1.len()) }
    }

    /// The values of a block of parameters.
    pub fn param(&self, id: BlockId) -> &'a [f32] {
        self.params.0.slice(id, self.params.1)
    }

    /// The values of a block of statistics.
    pub fn stat(&self, id: BlockId) -> &'a [f32] {
        self.stats.0.slice(id, self.stats.1)
    }

    /// Copies a block as it is.
    pub fn copy(&mut self, id: BlockId) -> BlockId {
        self.put(id, self.param(id).to_vec())
    }

    /// Adds a block with the name and shape of parameter block `id` and these values.
    pub fn put(&mut self, id: BlockId, values: Vec<f32>) -> BlockId {
        let block = &self.params.0.blocks[id];
        debug_assert_eq!(block.range.len(), values.len());
        self.values.extend(values);
        self.to.push(block.name.clone(), block.shape.clone(), Init::Constant(0.0))
    }

    /// The folded layout and its values.
    pub fn finish(self) -> (Layout, Vec<f32>) {
        (self.to, self.values)
    }
}
