//! Model files of earlier versions of the format, brought to today's with the same weights.
//!
//! The runtime reads one version. What an earlier one wrote is turned into the next, change by change, up to today's; then the
//! runtime has to accept it.

use crate::data::Axis;
use crate::lower::axes;
use brownian::format::{Conditioning, Process, Reader, Tensor, BLOB_ALIGN, CRC_LEN, MAGIC, PREFIX_LEN, VERSION};
use brownian::host::{self, EncodeError, OwnedModel};
use brownian::{ParseError, StateKind};

/// The oldest version that can be read.
pub const OLDEST: u16 = 3;

/// Why a file is not upgraded.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum UpgradeError {
    /// The bytes are no model file.
    #[error("not a Brownian model (it does not begin with BRWN)")]
    Magic,
    /// The file was cut off or extended.
    #[error("the model should have {expected} bytes but has {found}; it was cut off or extended")]
    Length {
        /// Bytes that the prefix announces.
        expected: u64,
        /// Bytes there are.
        found: u64,
    },
    /// The checksum differs.
    #[error("checksum {computed:08x} differs from the stored {stored:08x}; the model is damaged")]
    Crc {
        /// Checksum stored.
        stored: u32,
        /// Checksum of the bytes.
        computed: u32,
    },
    /// The version is too old.
    #[error("the model has format version {0}; versions before {OLDEST} cannot be upgraded, export the run again")]
    TooOld(u16),
    /// The version is not known yet.
    #[error("the model has format version {0}, this trainer knows versions up to {VERSION}; use a newer trainer")]
    TooNew(u16),
    /// The new file cannot be written.
    #[error("the upgraded model cannot be encoded: {0}")]
    Encode(#[from] EncodeError),
    /// The runtime refuses the result: the file broke a rule of its own version, or one that came later.
    #[error("the upgraded model is refused: {0}")]
    Refused(#[from] ParseError),
}

/// A file's parts, whatever its version.
struct Parts<'a> {
    version: u16,
    header: Vec<u8>,
    blob: &'a [u8],
    /// Bytes of arena, values of state, values of a sample.
    lengths: [u32; 3],
}

/// The version of a model file and the same model in today's format; bytes of today's version come back as they are.
///
/// # Errors
/// Bytes that are no whole model file of version 3 or later, or that the runtime refuses.
pub fn upgrade(bytes: &[u8]) -> Result<(u16, Vec<u8>), UpgradeError> {
    let mut parts = open(bytes)?;
    let found = parts.version;
    if found == VERSION {
        OwnedModel::new(bytes)?;
        return Ok((found, bytes.to_vec()));
    }
    if parts.version == 3 {
        to_version_4(&mut parts);
    }
    if parts.version == 4 {
        to_version_5(&mut parts)?;
    }
    let file = host::frame(&parts.header, parts.blob, parts.lengths, StateKind::F32)?;
    OwnedModel::new(&file)?;
    Ok((found, file))
}

/// Version 4: the header begins with the number of the process. Version 3 knew the Gaussian one alone.
fn to_version_4(parts: &mut Parts) {
    parts.header.insert(0, 0);
    parts.version = 4;
}

/// Version 5: in place of a number of classes the conditioning has, behind the start of the class table, axes of labels
/// with names. Before, there was one axis, whose classes were numbered.
fn to_version_5(parts: &mut Parts) -> Result<(), UpgradeError> {
    let mut reader = Reader::new(&parts.header);
    reader.value::<Process>();
    let (_, _): (&str, &str) = (reader.value(), reader.value());
    for _ in 0..2 {
        let (_, _): (Tensor, f32) = (reader.value(), reader.value());
    }
    let position = |reader: &Reader| {
        let rest = reader.clone().finish().ok_or(UpgradeError::Refused(ParseError::Header))?;
        Ok::<_, UpgradeError>(parts.header.len() - rest.len())
    };
    let start = position(&reader)?;
    let [columns, time_rows, time_table]: [u32; 3] = reader.value();
    let (count, class_table): (u16, u32) = (reader.value(), reader.value());
    let end = position(&reader)?;
    let axes = if count > 0 { axes::encoded(&[Axis::numbered(count.into())])? } else { vec![] };
    let axis_count = u16::from(count > 0);
    let conditioning = Conditioning { columns, time_rows, time_table, class_table, axis_count, axes: &axes };
    let mut encoded = vec![];
    host::encode_item(&conditioning, &mut encoded)?;
    parts.header.splice(start..end, encoded);
    parts.version = 5;
    Ok(())
}

/// Takes a file apart; prefix, padding and checksum are the same from version 3 on.
fn open(bytes: &[u8]) -> Result<Parts<'_>, UpgradeError> {
    let word = |at: usize| bytes.get(at..at + 4).map_or(0, |b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    if !bytes.starts_with(&MAGIC) {
        return Err(UpgradeError::Magic);
    }
    let version = word(4) as u16;
    if version < OLDEST {
        return Err(UpgradeError::TooOld(version));
    }
    if version > VERSION {
        return Err(UpgradeError::TooNew(version));
    }
    let header_end = PREFIX_LEN as u64 + u64::from(word(8));
    let blob_start = header_end.next_multiple_of(BLOB_ALIGN as u64);
    let blob_end = blob_start + u64::from(word(12));
    let (expected, found) = (blob_end + CRC_LEN as u64, bytes.len() as u64);
    if expected != found {
        return Err(UpgradeError::Length { expected, found });
    }
    let [header_end, blob_start, blob_end] = [header_end, blob_start, blob_end].map(|n| n as usize);
    let mut crc = flate2::Crc::new();
    crc.update(&bytes[..blob_end]);
    let (stored, computed) = (word(blob_end), crc.sum());
    if stored != computed {
        return Err(UpgradeError::Crc { stored, computed });
    }
    Ok(Parts {
        version,
        header: bytes[PREFIX_LEN..header_end].to_vec(),
        blob: &bytes[blob_start..blob_end],
        lengths: [word(16), word(20), word(24)],
    })
}
