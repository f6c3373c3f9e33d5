//! One core or two: which part of an op's output a core computes.
//!
//! Kernels are written for a [`Part`] of their output; [`Cores`] has one core compute all of it, or two a part each. Without
//! the feature `two-cores` both are empty, and nothing of this is left in a firmware.

#[cfg(feature = "two-cores")]
mod fork;
#[cfg_attr(feature = "two-cores", path = "cores/two.rs")]
#[cfg_attr(not(feature = "two-cores"), path = "cores/one.rs")]
mod number;

#[cfg(feature = "two-cores")]
pub(crate) use fork::Other;
#[cfg(feature = "two-cores")]
pub use fork::{Fork, SecondCore, Work};
pub use number::{Cores, Part};
