//! From header and blob to bytes.

use super::{version, Header, BLOB_ALIGN, CRC, CRC_LEN, MAGIC, PREFIX_LEN};
use crate::error::EncodeError;
use serde::Serialize;

/// Appends one op or plan to a list that becomes [`Header::ops`] or [`Header::plans`]: writes it to the
/// front of `out` and returns its length.
pub fn encode_item<T: Serialize>(item: &T, out: &mut [u8]) -> Result<usize, EncodeError> {
    postcard::to_slice(item, out).map(|used| used.len()).map_err(|_| EncodeError::BufferTooShort)
}

/// Writes a whole model file to `out` and returns its length. The result is what
/// [`Model::parse`](crate::Model::parse) reads; whether the parts fit each other is checked there.
pub fn encode(
    header: &Header,
    blob: &[u8],
    arena_len: u32,
    state_len: u32,
    out: &mut [u8],
) -> Result<usize, EncodeError> {
    let (prefix, body) = out.split_at_mut_checked(PREFIX_LEN).ok_or(EncodeError::BufferTooShort)?;
    let header_len = encode_item(header, body)?;
    let blob_start = (PREFIX_LEN + header_len).next_multiple_of(BLOB_ALIGN);
    let blob_end = blob_start + blob.len();
    let length = |n: usize| u32::try_from(n).map_err(|_| EncodeError::TooLong);
    let words = [version(header.ops) as u32, length(header_len)?, length(blob.len())?, arena_len, state_len, 0, 0];
    prefix[..4].copy_from_slice(&MAGIC);
    for (slot, word) in prefix[4..].as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *slot = word.to_le_bytes();
    }
    let file = out.get_mut(..blob_end + CRC_LEN).ok_or(EncodeError::BufferTooShort)?;
    file[PREFIX_LEN + header_len..blob_start].fill(0);
    file[blob_start..blob_end].copy_from_slice(blob);
    let crc = CRC.checksum(&file[..blob_end]);
    file[blob_end..].copy_from_slice(&crc.to_le_bytes());
    Ok(file.len())
}
