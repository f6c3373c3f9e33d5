//! The constants of the file's frame.

use crate::parse::MAX_AXES;

/// First bytes of every model file.
pub const MAGIC: [u8; 4] = *b"BRWN";
/// The version that this crate reads and writes.
pub const VERSION: u16 = 5;
/// Bytes before the header.
pub const PREFIX_LEN: usize = 32;
/// Alignment of the file in memory and of the blob in the file.
pub const BLOB_ALIGN: usize = 16;
/// Bytes of the checksum at the end.
pub const CRC_LEN: usize = 4;
/// Longest name of a plan, in bytes.
pub const MAX_PLAN_NAME: usize = 32;
/// Longest name of a label axis or a class, in bytes.
pub const MAX_CLASS_NAME: usize = 64;

/// CRC-32/ISO-HDLC (the one of zlib and PNG), with a table of 1 KB.
pub(crate) const CRC: crc::Crc<u32> = crc::Crc::<u32>::new(&crc::CRC_32_ISO_HDLC);

/// The most bytes of a snapshot's head: magic, then the largest varints of u16 (3), u32 (5), the name, u64 (10), u32
/// (5), a u16 an axis (3), u16 (3), bool, two u16 (6), Option<u32> (6).
pub(crate) const SNAPSHOT_HEAD_LEN: usize = 4 + 3 + 5 + (1 + MAX_PLAN_NAME) + 10 + 5 + 3 * MAX_AXES + 3 + 1 + 6 + 6;
/// The most bytes of a snapshot beside the state's values: its head, two lengths and the checksum.
pub(crate) const SNAPSHOT_FRAME_LEN: usize = SNAPSHOT_HEAD_LEN + 2 * 5 + CRC_LEN;
