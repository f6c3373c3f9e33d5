//! Memory of one chain.

use super::AlignedBytes;
use crate::builder::Builder;
use crate::error::SamplerError;
use crate::model::Model;
use crate::process::element::StateElement;
use crate::sampler::Sampler;
use std::vec;
use std::vec::Vec;

/// Arena and state of one chain, sized for a model under any [`Guidance`](crate::Guidance). One after the other, many
/// chains may use it: what a chain gives does not depend on what the memory held.
#[derive(Clone, Debug)]
pub struct ChainMemory {
    arena: AlignedBytes,
    /// As many bytes as the state has, whatever its element.
    state: Vec<f32>,
    state_len: usize,
}

impl ChainMemory {
    /// Zeroed memory for chains of `model`.
    pub fn new(model: &Model) -> Self {
        let state_len = model.state_len_two_evaluations();
        let words = (state_len * model.state_element_len()).div_ceil(4);
        Self { arena: AlignedBytes::zeroed(model.arena_len()), state: vec![0.0; words], state_len }
    }

    /// Arena and state of f32.
    pub fn split(&mut self) -> (&mut [u8], &mut [f32]) {
        self.split_as()
    }

    /// Arena and state, which should be of the model's element: [`with_state_element`](crate::with_state_element) chooses.
    pub fn split_as<E: StateElement>(&mut self) -> (&mut [u8], &mut [E]) {
        let state: &mut [E] = bytemuck::cast_slice_mut(&mut self.state);
        let len = self.state_len.min(state.len());
        (self.arena.bytes_mut(), &mut state[..len])
    }

    /// Starts a chain in this memory.
    ///
    /// # Errors
    /// As [`Builder::start`].
    pub fn start<'a, E: StateElement>(&'a mut self, chain: Builder<'a, E>) -> Result<Sampler<'a, E>, SamplerError> {
        let (arena, state) = self.split_as();
        chain.start(arena, state)
    }
}
