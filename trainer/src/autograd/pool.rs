//! Buffers that are used again: a training step needs the same sizes as the one before, and fresh memory costs page
//! faults.
use std::collections::HashMap;
use std::ops::{Deref, DerefMut};
use std::sync::{LazyLock, Mutex, PoisonError};

static POOL: LazyLock<Mutex<HashMap<usize, Vec<Vec<f32>>>>> = LazyLock::new(Mutex::default);
/// Buffers kept of one length.
const KEPT: usize = 64;

/// A vector of floats that returns to the pool when dropped.
#[derive(Debug, Default)]
pub struct Buffer(Vec<f32>);

impl Buffer {
    /// A buffer whose contents are whatever its last user left (zeros at first): for results that are written in full.
    pub fn stale(len: usize) -> Self {
        let kept = POOL.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&len).and_then(Vec::pop);
        Self(kept.unwrap_or_else(|| vec![0.0; len]))
    }

    /// A buffer of zeros.
    pub fn zeros(len: usize) -> Self {
        let mut buffer = Self::stale(len);
        buffer.fill(0.0);
        buffer
    }

    /// A copy of `values`.
    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::stale(values.len());
        buffer.copy_from_slice(values);
        buffer
    }

    /// The vector itself, which no longer returns to the pool.
    pub fn into_vec(mut self) -> Vec<f32> {
        std::mem::take(&mut self.0)
    }
}

impl From<Vec<f32>> for Buffer {
    fn from(values: Vec<f32>) -> Self {
        Self(values)
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.0
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.0);
        if !values.is_empty() {
            let mut pool = POOL.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = pool.entry(values.len()).or_default();
            if kept.len() < KEPT {
                kept.push(values);
            }
        }
    }
}
