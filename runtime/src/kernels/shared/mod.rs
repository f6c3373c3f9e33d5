//! Algorithms that several backends share; a backend supplies the instructions.
//!
//! | file | what |
//! |---|---|
//! | `tiles` | dense convolution by register tiles over patches of four taps a block |
//! | `winograd` | dense convolution with three columns of taps by fewer products |
//! | `winograd_halves` | the same on two cores |
//! | `winograd_scalar` | its transforms, one channel at a time |
//! | `bytes` | dense convolution and linear layers by wide vectors over patches of bytes |
//! | `ring` | depthwise convolution over a ring of padded rows, four channels at a time |
//! | `rows` | linear layers, several rows of weights at a time |
//! | `gate` | elementwise products behind tables, four a turn |
//! | `packing` | four i8 in words, for cores without the DSP extension |
//! | `requantize`, `store`, `finish` | from accumulators to stored outputs |

// A backend uses a part of this.
#![allow(dead_code)]

pub(super) mod bytes;
pub(super) mod finish;
pub(super) mod gate;
pub(super) mod packing;
pub(super) mod requantize;
pub(super) mod ring;
pub(super) mod rows;
pub(super) mod store;
pub(super) mod tiles;
#[cfg(feature = "winograd")]
pub(super) mod winograd;
#[cfg(all(feature = "winograd", feature = "two-cores"))]
mod winograd_halves;
#[cfg(feature = "winograd")]
pub(super) mod winograd_scalar;
#[cfg(all(test, feature = "winograd", feature = "host"))]
mod winograd_tests;
