//! From bytes to header: what [`Model::parse`](crate::Model::parse) does first.

use super::header::{Header, Process};
use super::layout::{BLOB_ALIGN, CRC, CRC_LEN, MAGIC, PREFIX_LEN, VERSION};
use super::prefix::word;
use super::read::{Read, Reader};
use crate::parse::ParseError;
use crate::process::StateKind;

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
    let reserved = word(prefix, 28);
    let kind = StateKind::numbered((word(prefix, 4) >> 16) as u16);
    let padding = bytes.get(header_end..blob_start).unwrap_or(&[]);
    if reserved != 0 || padding.iter().any(|&b| b != 0) {
        return Err(ParseError::Reserved);
    }
    let encoded = bytes.get(PREFIX_LEN..header_end).ok_or(ParseError::Header)?;
    let blob = bytes.get(blob_start..blob_end).ok_or(ParseError::Header)?;
    let process = encoded.first().copied().ok_or(ParseError::Header)?;
    // Before all else, since what follows in a header may differ from process to process.
    let known = Process::numbered(process).ok_or(ParseError::Process { found: process })?;
    if !kind.is_some_and(|kind| fits(kind, known)) {
        return Err(ParseError::Reserved);
    }
    Ok((header(encoded).ok_or(ParseError::Header)?, blob))
}

/// Whether the state of a process may be kept so.
fn fits(kind: StateKind, process: Process) -> bool {
    process.is_binomial() == matches!(kind, StateKind::Bits)
}

/// The header, if `encoded` is one and nothing more.
fn header(encoded: &[u8]) -> Option<Header<'_>> {
    let mut reader = Reader::new(encoded);
    let header = Header::read(&mut reader);
    reader.finish()?.is_empty().then_some(header)
}

/// Header and blob of a file that [`open`] has accepted before, without the checks.
#[cfg(feature = "host")]
pub(crate) fn reopen(bytes: &[u8]) -> Option<(Header<'_>, &[u8])> {
    let header_end = PREFIX_LEN + word(bytes, 8) as usize;
    let blob_start = header_end.next_multiple_of(BLOB_ALIGN);
    let blob = bytes.get(blob_start..blob_start + word(bytes, 12) as usize)?;
    Some((header(bytes.get(PREFIX_LEN..header_end)?)?, blob))
}
