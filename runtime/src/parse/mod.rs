//! The checks behind [`Model::parse`](crate::Model::parse): after them nothing downstream can fail,
//! index out of bounds, overflow or read what was not written. The work grows with the length of the file, and no more.

mod axes;
mod check;
mod error;
mod limits;
mod ops;
mod plans;
mod written;

#[cfg(feature = "host")]
pub(crate) use axes::check_axes;
pub(crate) use check::check;
pub use error::{AxisFault, ParseError, PlanFault};
pub use limits::{MAX_AXES, MAX_MACS, MAX_OPS, MAX_PLANS, MAX_VALUES};
