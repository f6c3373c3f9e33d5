//! Unpacking gzip.
use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::borrow::Cow;
use std::io::Read;
use std::path::Path;

/// The bytes of `path` themselves, or what they unpack to where they are gzip.
///
/// # Errors
/// A stream that is broken or cut off.
pub fn unpacked<'a>(path: &Path, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>> {
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut unpacked = Vec::new();
    let read = MultiGzDecoder::new(bytes).read_to_end(&mut unpacked);
    read.map_err(|e| Error::file(path, format!("the gzip stream is broken or cut off ({e})")))?;
    Ok(Cow::Owned(unpacked))
}
