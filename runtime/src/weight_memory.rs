//! Memory into which a convolution's weights are copied before it runs, where the flash that they lie in is slow.
//!
//! A convolution reads its weights once for every few pixels. From a flash behind a cache that is smaller than they are it
//! gets them anew each time; copied first, they are read from there once. Without the feature `weight-memory` there is no
//! such memory, and nothing of it is left in a firmware.

#[cfg_attr(feature = "weight-memory", path = "weight_memory/some.rs")]
#[cfg_attr(not(feature = "weight-memory"), path = "weight_memory/none.rs")]
mod memory;

pub(crate) use memory::{Copied, WeightMemory};
