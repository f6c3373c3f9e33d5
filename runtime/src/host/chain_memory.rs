//! Memory of one chain.

use super::AlignedBytes;
use crate::builder::Builder;
use crate::error::SamplerError;
use crate::model::Model;
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

    /// Starts a chain in this memory.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start<'a>(&'a mut self, chain: Builder<'a>) -> Result<Sampler<'a>, SamplerError> {
        let (arena, state) = self.split();
        chain.start(arena, state)
    }
}
