//! A model file in memory, aligned as the runtime demands.

/// The bytes of a model at an address that is a multiple of 16.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelFile {
    words: Vec<u128>,
    len: usize,
}

impl ModelFile {
    /// Copies `bytes` to aligned memory.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len().div_ceil(16)];
        bytemuck::cast_slice_mut::<u128, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }
}

/// Arena and state of one chain, sized for a model.
#[derive(Clone, Debug)]
pub struct ChainMemory {
    arena: Vec<u128>,
    /// f32 values of state.
    pub state: Vec<f32>,
}

impl ChainMemory {
    /// Memory for chains of `model`.
    pub fn new(model: &brownian::Model) -> Self {
        Self { arena: vec![0; model.arena_len().div_ceil(16)], state: vec![0.0; model.state_len()] }
    }

    /// Arena and state.
    pub fn split(&mut self) -> (&mut [u8], &mut [f32]) {
        (bytemuck::cast_slice_mut(&mut self.arena), &mut self.state)
    }
}
