//! The checks behind [`Model::parse`](crate::Model::parse): after them nothing downstream can fail,
//! index out of bounds, overflow or read what was not written. The work grows with the length of the file, and no more.

mod check;
mod error;
mod ops;
mod plans;
mod written;

pub(crate) use check::check;
pub use error::{ParseError, PlanFault};
pub use ops::{MAX_MACS, MAX_OPS};
pub use plans::MAX_PLANS;
pub use written::MAX_VALUES;
