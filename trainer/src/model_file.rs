//! A model file in memory, aligned as the runtime demands.

use crate::{Error, Result};
use std::path::Path;

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

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
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
    /// Memory for chains of `model` under any guidance.
    pub fn new(model: &brownian::Model) -> Self {
        Self { arena: vec![0; model.arena_len().div_ceil(16)], state: vec![0.0; model.state_len_two_evaluations()] }
    }

    /// Arena and state.
    pub fn split(&mut self) -> (&mut [u8], &mut [f32]) {
        (bytemuck::cast_slice_mut(&mut self.arena), &mut self.state)
    }
}

impl ModelFile {
    /// Reads a model file and checks all of it.
    ///
    /// # Errors
    /// A file that cannot be read, or that the runtime refuses; the line says why.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        let file = Self::from_bytes(&bytes);
        brownian::Model::parse(file.bytes()).map_err(|e| Error::file(path, e))?;
        Ok(file)
    }

    /// The model.
    ///
    /// # Errors
    /// Bytes that are no model; none for a file from [`read`](Self::read).
    pub fn model(&self) -> Result<brownian::Model<'_>> {
        brownian::Model::parse(self.bytes()).map_err(|e| Error::Invalid(e.to_string()))
    }
}
