#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! Diffusion models on microcontrollers: the reverse chain in static buffers, bit for bit the same on
//! every target.
//!
//! A model file (`.brn`, written by the `trainer` crate) is data: weights, a flat list of integer ops,
//! and sampling plans. [`Model::parse`] checks it once and borrows it; [`Sampler`] runs a plan step by
//! step in memory that the caller owns. There is no heap, no logging and no panic.
//!
//! ```
//! use brownian::{include_model, Arena, Model, Sampler};
//!
//! static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
//!
//! // On a chip these two are statics; their sizes come from the file.
//! let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
//! let mut state = [0.0; brownian::state_len(FILE)];
//!
//! let model = Model::parse(FILE)?;
//! let plan = model.plan("fast5").expect("the model has this plan");
//! let mut sampler = Sampler::builder(&model, plan).seed(1).class(7).start(arena.bytes_mut(), &mut state)?;
//! while sampler.step() {}
//! let digit: &[f32] = sampler.x(); // 28·28 values, about -1 to 1
//! assert_eq!(digit.len(), 784);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`format`] | the model file: frame, header, reader |
//! | [`ops`] | the network's ops, one file each |
//! | [`quant`] | the only rounding rule |
//! | [`kernels`] | inner loops, one folder a backend |
//! | `host` (feature `host`) | what only hosts need: encoder, arena planner, multiplier search, owned memory |
//! | [`plan`] | schedules and sampling methods in f64: tables of one affine update |
//! | [`process`] | what a chain's state is and how a step changes it |
//! | [`random`] | counter-based generator and integer normal transform |
//! | [`sound`] | what a model's file says of its sound, and its values as samples of 16 bits |

#[cfg(any(feature = "host", all(feature = "host-simd", target_arch = "x86_64")))]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!("model files are little endian, and weights are read in place");

mod arena;
mod axis;
mod builder;
mod conditioning;
mod cores;
mod error;
mod execute;
pub mod format;
#[cfg(feature = "host")]
pub mod host;
mod image;
mod inpaint;
pub mod kernels;
#[cfg(feature = "local")]
mod local;
#[cfg(feature = "long")]
mod long;
mod model;
pub mod ops;
mod parse;
pub mod plan;
mod preview;
pub mod process;
pub mod quant;
pub mod random;
mod sampler;
mod snapshot;
pub mod sound;
mod two_evaluations;
mod weight_memory;

pub use arena::{Aligned, Arena};
pub use axis::Axis;
pub use builder::Builder;
pub use conditioning::{Condition, Guidance};
#[cfg(feature = "two-cores")]
pub use cores::{Fork, SecondCore, Work};
pub use error::{SamplerError, SnapshotError};
pub use format::{arena_len, sample_len, snapshot_len, state_kind, state_len, state_len_two_evaluations};
pub use half::f16;
pub use image::Image;
pub use inpaint::{mask_len, Keeping, KnownPixels};
#[cfg(feature = "local")]
pub use local::local_value;
#[cfg(feature = "long")]
pub use long::{LongError, LongSampler, Pieces};
pub use model::{Model, Ops, Plan};
pub use ops::OpFault;
pub use parse::{AxisFault, ParseError, PlanFault, MAX_AXES, MAX_MACS, MAX_OPS, MAX_PLANS, MAX_VALUES};
pub use preview::Preview;
pub use process::binomial::Bits;
pub use process::element::{Real, StateElement, StateElementOf};
pub use process::StateKind;
pub use sampler::{Progress, Sampler};
pub use snapshot::{Resume, SNAPSHOT_VERSION};

/// The README's example is a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
