//! The `.brn` model file: its frame, its header, and the reader of its primitives. [`ops`](crate::ops) know how they are
//! read themselves; [`host`](crate::host) writes files.
//!
//! ```text
//! prefix (32 bytes) · header (postcard) · zeros to a multiple of 16 · weight blob · CRC-32
//! ```
//!
//! `docs/reference/format.md` is the specification. All integers of the prefix and the blob are little endian.

mod frame;
mod header;
mod items;
mod layout;
mod prefix;
mod read;
mod record;
mod table;
mod tensor;
#[cfg(test)]
pub(crate) mod work;

pub(crate) use frame::open;
#[cfg(feature = "host")]
pub(crate) use frame::reopen;
pub use header::{AxisHeader, Conditioning, Header, PlanHeader, PlanRules, Process};
pub(crate) use items::{items, Items};
pub use layout::{BLOB_ALIGN, CRC_LEN, MAGIC, MAX_CLASS_NAME, MAX_PLAN_NAME, PREFIX_LEN, VERSION};
pub(crate) use layout::{CRC, SNAPSHOT_FRAME_LEN, SNAPSHOT_HEAD_LEN};
pub use prefix::{arena_len, sample_len, snapshot_len, state_kind, state_len, state_len_of, state_len_two_evaluations};
pub use read::{Read, Reader};
pub(crate) use record::record;
pub use table::{Table, TableError, TableFault};
pub use tensor::{Element, Tensor};
