//! Trains, quantizes, exports and samples Brownian diffusion models on the host.
//!
//! Data flows one way: file → [`data::Dataset`] → [`graph::Graph`] → [`run`] ([`train`], [`finetune`]) → folded float
//! [`network::Network`] → quantized operations → model file.
// Standard error may be gone or full: what is said there goes through `report::note`, which cannot fail.
#![deny(clippy::print_stderr, clippy::print_stdout)]

pub mod autograd;
pub mod chain;
pub mod cli;
pub mod data;
pub mod error;
pub mod eval;
pub mod export;
pub mod files;
pub mod finetune;
pub mod graph;
pub mod import;
pub mod lower;
pub mod memory;
pub mod nets;
pub mod network;
pub mod ops;
pub mod plans;
pub mod process;
pub mod recognition;
pub mod report;
pub mod run;
pub mod steps;
pub mod train;
pub mod upgrade;

pub use error::{Error, Result};
