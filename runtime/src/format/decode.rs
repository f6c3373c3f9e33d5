//! From bytes to header: what [`Model::parse`](crate::Model::parse) does first.

use super::read::{Read, Reader};
use super::{Header, BLOB_ALIGN, CRC, CRC_LEN, MAGIC, PREFIX_LEN, SNAPSHOT_FRAME_LEN, VERSION};
use crate::error::ParseError;
use core::marker::PhantomData;

/// Little-endian u32 at `at`, or 0 beyond the end.
const fn word(bytes: &[u8], at: usize) -> u32 {
    if bytes.len() < 4 || at > bytes.len() - 4 {
        return 0;
    }
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Bytes of arena that the model needs, read from the prefix alone, so that it can size a static.
pub const fn arena_len(model: &[u8]) -> usize {
    word(model, 16) as usize
}

/// Values of f32 state that the model needs, read from the prefix alone.
pub const fn state_len(model: &[u8]) -> usize {
    word(model, 20) as usize
}

/// Values of f32 state for samples of `sample_len` values: x_t, and where a plan uses the previous x0_hat, that in 16 bits.
pub const fn state_len_of(sample_len: usize, uses_previous: bool) -> usize {
    sample_len + if uses_previous { sample_len.div_ceil(2) } else { 0 }
}

/// Values of a sample (height·width·channels), read from the prefix alone.
pub const fn sample_len(model: &[u8]) -> usize {
    word(model, 24) as usize
}

/// Values of f32 state that a chain with two evaluations a step needs, read from the prefix alone; see
/// [`Builder::two_evaluations`](crate::Builder::two_evaluations).
pub const fn state_len_two_evaluations(model: &[u8]) -> usize {
    state_len(model).saturating_add(sample_len(model).div_ceil(2))
}

/// The most bytes that a snapshot of a chain of the model has, read from the prefix alone; see
/// [`Sampler::save`](crate::Sampler::save).
pub const fn snapshot_len(model: &[u8]) -> usize {
    SNAPSHOT_FRAME_LEN.saturating_add(state_len(model).saturating_mul(4))
}

/// Checks everything around the header and decodes it; returns it with the weight blob.
pub(crate) fn open(bytes: &[u8]) -> Result<(Header<'_>, &[u8]), ParseError> {
    let length = |expected: usize| ParseError::Length { expected: expected as u32, found: bytes.len() as u32 };
    let prefix = bytes.get(..PREFIX_LEN).ok_or(length(PREFIX_LEN))?;
    if !prefix.starts_with(&MAGIC) {
        return Err(ParseError::Magic);
    }
    let found = word(prefix, 4) as u16;
    if found != VERSION {
        return Err(ParseError::Version { found });
    }
    if !(bytes.as_ptr() as usize).is_multiple_of(BLOB_ALIGN) {
        return Err(ParseError::Misaligned);
    }
    let (header_len, blob_len) = (word(prefix, 8) as usize, word(prefix, 12) as usize);
    let header_end = PREFIX_LEN.saturating_add(header_len);
    let blob_start = header_end.checked_next_multiple_of(BLOB_ALIGN).ok_or(length(usize::MAX))?;
    let blob_end = blob_start.saturating_add(blob_len);
    let file_len = blob_end.saturating_add(CRC_LEN);
    if bytes.len() != file_len {
        return Err(length(file_len));
    }
    let body = bytes.get(..blob_end).ok_or(length(file_len))?;
    let (stored, computed) = (word(bytes, blob_end), CRC.checksum(body));
    if stored != computed {
        return Err(ParseError::Crc { stored, computed });
    }
    let reserved = word(prefix, 4) >> 16 | word(prefix, 28);
    let padding = bytes.get(header_end..blob_start).unwrap_or(&[]);
    if reserved != 0 || padding.iter().any(|&b| b != 0) {
        return Err(ParseError::Reserved);
    }
    let encoded = bytes.get(PREFIX_LEN..header_end).ok_or(ParseError::Header)?;
    let blob = bytes.get(blob_start..blob_end).ok_or(ParseError::Header)?;
    Ok((header(encoded).ok_or(ParseError::Header)?, blob))
}

/// The header, if `encoded` is one and nothing more.
fn header(encoded: &[u8]) -> Option<Header<'_>> {
    let mut reader = Reader::new(encoded);
    let header = Header::read(&mut reader)?;
    reader.rest()?.is_empty().then_some(header)
}

/// Header and blob of a file that [`open`] has accepted before, without the checks.
#[cfg(feature = "host")]
pub(crate) fn reopen(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let header_end = PREFIX_LEN + word(bytes, 8) as usize;
    let blob_start = header_end.next_multiple_of(BLOB_ALIGN);
    let blob = bytes.get(blob_start..blob_start + word(bytes, 12) as usize)?;
    Some((header(bytes.get(PREFIX_LEN..header_end)?)?, blob))
}

/// Iterator over postcard items that stand one after the other; ends at the first that fails.
#[derive(Clone, Debug)]
pub(crate) struct Items<'a, T> {
    rest: &'a [u8],
    item: PhantomData<T>,
}

impl<T> Items<'_, T> {
    /// Bytes not decoded yet.
    pub(crate) fn rest(&self) -> usize {
        self.rest.len()
    }
}

impl<'a, T: Read<'a>> Iterator for Items<'a, T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        let mut reader = Reader::new(self.rest);
        let item = T::read(&mut reader)?;
        self.rest = reader.rest()?;
        Some(item)
    }
}

/// The items encoded in `bytes`.
pub(crate) fn items<T>(bytes: &[u8]) -> Items<'_, T> {
    Items { rest: bytes, item: PhantomData }
}
