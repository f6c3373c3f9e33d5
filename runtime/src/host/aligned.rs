//! Bytes at an address that is a multiple of 16.

use core::fmt;
use std::vec;
use std::vec::Vec;

/// Bytes in memory of their own, aligned as [`Model::parse`](crate::Model::parse) and arenas demand. Nothing is known of
/// their content; [`OwnedModel`](super::OwnedModel) holds a checked model.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlignedBytes {
    words: Vec<u128>,
    len: usize,
}

impl AlignedBytes {
    /// Zeros.
    pub fn zeroed(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(size_of::<u128>())], len }
    }

    /// Zeros, where the machine has memory for them.
    ///
    /// # Errors
    /// It has none.
    pub fn try_zeroed(len: usize) -> Result<Self, NoMemory> {
        let mut words = Vec::new();
        words.try_reserve_exact(len.div_ceil(size_of::<u128>())).map_err(|_| NoMemory { bytes: len })?;
        words.resize(len.div_ceil(size_of::<u128>()), 0);
        Ok(Self { words, len })
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The bytes, to be changed.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut bytemuck::cast_slice_mut(&mut self.words)[..self.len]
    }
}

/// A copy.
impl From<&[u8]> for AlignedBytes {
    fn from(bytes: &[u8]) -> Self {
        let mut copy = Self::zeroed(bytes.len());
        copy.bytes_mut().copy_from_slice(bytes);
        copy
    }
}

/// The machine has no memory for so many bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoMemory {
    /// The bytes that were asked for.
    pub bytes: usize,
}

impl fmt::Display for NoMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no memory for {} bytes here", self.bytes)
    }
}

impl core::error::Error for NoMemory {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn memory_that_is_not_there_is_an_error() {
        assert_eq!(AlignedBytes::try_zeroed(33).unwrap(), AlignedBytes::zeroed(33));
        let error = AlignedBytes::try_zeroed(usize::MAX).unwrap_err();
        assert_eq!(error.to_string(), std::format!("there is no memory for {} bytes here", usize::MAX));
    }
}
