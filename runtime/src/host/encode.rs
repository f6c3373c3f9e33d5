//! From header and blob to bytes.

use super::OwnedModel;
use crate::format::{state_len_of, Header, BLOB_ALIGN, CRC, CRC_LEN, MAGIC, PREFIX_LEN, VERSION};
use crate::parse::ParseError;
use crate::process::StateKind;
#[cfg(doc)]
use crate::Model;
use core::fmt;
use serde::Serialize;
use std::vec::Vec;

/// Why a model could not be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EncodeError {
    /// A part is longer than its length field can say.
    TooLong,
    /// A value that postcard cannot write.
    Value,
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooLong => "a part of the model is longer than 4 GiB, which the format cannot say",
            Self::Value => "a value of the header has no encoding",
        })
    }
}

impl core::error::Error for EncodeError {}

/// Appends one op or plan to a list that becomes [`Header::ops`] or [`Header::plans`].
///
/// # Errors
/// None for the items of a header.
pub fn encode_item<T: Serialize>(item: &T, list: &mut Vec<u8>) -> Result<(), EncodeError> {
    *list = postcard::to_extend(item, core::mem::take(list)).map_err(|_| EncodeError::Value)?;
    Ok(())
}

/// A whole model file: what [`Model::parse`] reads, which also checks whether the parts fit each other.
///
/// # Errors
/// Parts whose lengths do not fit 32 bits.
pub fn encode(
    header: &Header,
    blob: &[u8],
    arena_len: u32,
    (state_len, kind): (u32, StateKind),
) -> Result<Vec<u8>, EncodeError> {
    let mut encoded = Vec::new();
    encode_item(header, &mut encoded)?;
    let sample_len = u32::try_from(header.input.values()).map_err(|_| EncodeError::TooLong)?;
    frame(&encoded, blob, [arena_len, state_len, sample_len], kind)
}

/// The same model with a state that is kept otherwise: as f16, or as f32.
///
/// # Errors
/// Bytes that [`Model::parse`] refuses, as it does with a kind of another process.
pub fn with_state(file: &[u8], kind: StateKind) -> Result<Vec<u8>, ParseError> {
    let owned = OwnedModel::new(file)?;
    let model = owned.model();
    let uses_previous = model.plans().any(|plan| plan.steps().any(|step| step.c != 0.0));
    let state_len = state_len_of(model.sample_len(), uses_previous, kind) as u32;
    let mut file = Vec::from(file);
    file[6..8].copy_from_slice(&kind.number().to_le_bytes());
    file[20..24].copy_from_slice(&state_len.to_le_bytes());
    let end = file.len() - CRC_LEN;
    let crc = CRC.checksum(&file[..end]).to_le_bytes();
    file[end..].copy_from_slice(&crc);
    Ok(file)
}

/// A whole model file around a header that is encoded already. `lengths` are the bytes of arena, the values of state and
/// those of a sample; `kind` says what the state is kept in.
///
/// # Errors
/// Parts whose lengths do not fit 32 bits.
pub fn frame(header: &[u8], blob: &[u8], lengths: [u32; 3], kind: StateKind) -> Result<Vec<u8>, EncodeError> {
    let length = |n: usize| u32::try_from(n).map_err(|_| EncodeError::TooLong);
    let [arena_len, state_len, sample_len] = lengths;
    let version = u32::from(VERSION) | u32::from(kind.number()) << 16;
    let words = [version, length(header.len())?, length(blob.len())?, arena_len, state_len, sample_len, 0];
    let mut file = Vec::from(MAGIC);
    words.iter().for_each(|word| file.extend(word.to_le_bytes()));
    debug_assert_eq!(file.len(), PREFIX_LEN);
    file.extend(header);
    file.resize(file.len().next_multiple_of(BLOB_ALIGN), 0);
    file.extend(blob);
    let crc = CRC.checksum(&file).to_le_bytes();
    debug_assert_eq!(crc.len(), CRC_LEN);
    file.extend(crc);
    Ok(file)
}
