//! Memory of one chain.

use super::AlignedBytes;
use crate::conditioning::Condition;
use crate::error::SamplerError;
use crate::model::{Model, Plan};
use crate::sampler::Sampler;
use std::vec;
use std::vec::Vec;

/// Arena and state of one chain, sized for a model under any [`Guidance`](crate::Guidance). One after the other, many
/// chains may use it: what a chain gives does not depend on what the memory held.
#[derive(Clone, Debug)]
pub struct ChainMemory {
    arena: AlignedBytes,
    state: Vec<f32>,
}

impl ChainMemory {
    /// Zeroed memory for chains of `model`.
    pub fn new(model: &Model) -> Self {
        Self { arena: AlignedBytes::zeroed(model.arena_len()), state: vec![0.0; model.state_len_two_evaluations()] }
    }

    /// Arena and state.
    pub fn split(&mut self) -> (&mut [u8], &mut [f32]) {
        (self.arena.bytes_mut(), &mut self.state)
    }

    /// A chain in this memory; the arguments are those of [`Sampler::new`].
    ///
    /// # Errors
    /// A condition that the model does not take, or memory that was made for a smaller model.
    pub fn sampler<'a>(
        &'a mut self,
        model: &'a Model<'a>,
        plan: Plan<'a>,
        condition: Condition,
        (seed, image): (u64, u32),
    ) -> Result<Sampler<'a>, SamplerError> {
        let (arena, state) = self.split();
        Sampler::new(model, plan, condition, (seed, image), arena, state)
    }
}
