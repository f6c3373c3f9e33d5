#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! What firmware for different boards shares. Nothing here touches a peripheral, so all of it is
//! tested on the host.
//!
//! - [`chain`]: a chain with its times and digests;
//! - [`times`]: how long it took;
//! - [`edit`]: chains that start from an image, keep parts of one, or go on from a snapshot;
//! - [`counter`]: a hardware counter of few bits, read often, as a count that does not wrap;
//! - [`stack`]: the stack's high-water mark by painting;
//! - [`last_words`]: what a panic leaves to do;
//! - [`picture`]: an image as text;
//! - [`request`]: what to sample, from a command line;
//! - [`report`]: the lines that firmware prints and that host tools read back;
//! - `rtt` (feature `rtt`): the same lines for a debug probe;
//! - `mailbox` (feature `two-cores`): work on its way to a second core;
//! - `demo` (feature `demo`): the demo of a board with a button, a display and a serial line.

pub mod chain;
pub mod counter;
#[cfg(feature = "demo")]
pub mod demo;
pub mod edit;
pub mod last_words;
#[cfg(feature = "two-cores")]
pub mod mailbox;
pub mod picture;
pub mod report;
pub mod request;
#[cfg(feature = "rtt")]
mod rtt;
pub mod stack;
pub mod times;
