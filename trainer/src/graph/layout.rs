//! Where every parameter lies in one flat vector, and how it starts.
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::ops::Range;

/// The start value of a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Every value the same.
    Constant(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
}

/// A named block of the flat parameter (or statistics) vector.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Block {
    /// Unique name, `layer.kind`.
    pub name: String,
    /// Dimensions; weights are `[O][KH][KW][I]`.
    pub shape: Vec<usize>,
    /// Where the block lies in the flat vector.
    pub range: Range<usize>,
    /// Start value.
    pub init: Init,
}

/// The index of a [`Block`].
pub type BlockId = usize;

/// Named blocks laid one after another in one flat vector.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Layout {
    /// The blocks in order.
    pub blocks: Vec<Block>,
}

impl Layout {
    /// Adds a block behind the others and returns its id.
    pub fn push(&mut self, name: String, shape: Vec<usize>, init: Init) -> BlockId {
        let start = self.len();
        let range = start..start + shape.iter().product::<usize>();
        self.blocks.push(Block { name, shape, range, init });
        self.blocks.len() - 1
    }

    /// Length of the flat vector.
    pub fn len(&self) -> usize {
        self.blocks.last().map_or(0, |b| b.range.end)
    }

    /// Whether there is no block.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// The part of the flat vector `values` that is block `id`.
    pub fn slice<'a>(&self, id: BlockId, values: &'a [f32]) -> &'a [f32] {
        &values[self.blocks[id].range.clone()]
    }

    /// Start values of all blocks, from a seed.
    pub fn init(&self, seed: u64) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(u64::MAX);
        let mut values = Vec::with_capacity(self.len());
        for block in &self.blocks {
            values.extend(block.range.clone().map(|_| match block.init {
                Init::Constant(value) => value,
                Init::Normal(std) => std * rng.sample::<f32, _>(rand_distr::StandardNormal),
            }));
        }
        values
    }
}
