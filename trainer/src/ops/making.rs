//! How an op gets its parameters when a graph is built.
use crate::graph::layout::{BlockId, Init, Layout};
use crate::graph::shape::Shape;
use crate::Result;

/// The gain that keeps the variance of a weighted sum over SiLU'd inputs.
pub const SILU_GAIN: f32 = 1.68;

/// What is asked for when a node is built: an op's settings, before it has parameters. An op without parameters is its
/// own layer.
pub trait Layer {
    /// The op that it becomes.
    type Op;

    /// Makes the op, with its parameters behind those of earlier nodes.
    ///
    /// # Errors
    /// Settings or inputs that make no sense; the builder adds the layer's name.
    fn make(self, at: &mut Making) -> Result<Self::Op>;
}

/// A node that is being built.
#[derive(Debug)]
pub struct Making<'a> {
    /// The node's name.
    pub name: &'a str,
    /// The shapes of its inputs.
    pub inputs: &'a [Shape],
    pub(crate) params: &'a mut Layout,
    pub(crate) stats: &'a mut Layout,
    pub(crate) columns: &'a mut usize,
}

impl Making<'_> {
    /// Adds a block of parameters called `name.kind`.
    pub fn param(&mut self, kind: &str, shape: Vec<usize>, init: Init) -> BlockId {
        self.params.push(format!("{}.{kind}", self.name), shape, init)
    }

    /// Adds a block of statistics called `name.kind`.
    pub fn stat(&mut self, kind: &str, shape: Vec<usize>, init: Init) -> BlockId {
        self.stats.push(format!("{}.{kind}", self.name), shape, init)
    }

    /// Takes `count` bias columns and returns the first.
    pub fn columns(&mut self, count: usize) -> usize {
        *self.columns += count;
        *self.columns - count
    }
}

/// An op without parameters is built as it stands.
macro_rules! is_its_own_layer {
    ($($op:ty),+) => {$(
        impl $crate::ops::making::Layer for $op {
            type Op = Self;
            fn make(self, _: &mut $crate::ops::making::Making) -> $crate::Result<Self> {
                Ok(self)
            }
        }
    )+};
}
pub(crate) use is_its_own_layer;
