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
//! use brownian::{include_model, Arena, Condition, Model, Sampler};
//!
//! static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28.brn"));
//!
//! // On a chip these two are statics; their sizes come from the file.
//! let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
//! let mut state = [0.0; brownian::state_len(FILE)];
//!
//! let model = Model::parse(FILE)?;
//! let plan = model.plan("fast5").expect("the model has this plan");
//! let (seed, image) = (1, 0);
//! let mut sampler =
//!     Sampler::new(&model, plan, Condition::class(7), (seed, image), arena.bytes_mut(), &mut state)?;
//! while sampler.step() {}
//! let digit: &[f32] = sampler.x(); // 28·28 values, about -1 to 1
//! assert_eq!(digit.len(), 784);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`format`] | the model file: types, reader, validation |
//! | [`quant`] | the only rounding rule |
//! | [`kernels`] | inner loops, one folder a backend |
//! | `host` (feature `host`) | what only hosts need: encoder, arena planner, multiplier search, owned memory |
//! | [`schedule`], [`plan`] | β_t and ᾱ_t in f64; samplers as tables of one affine update |
//! | [`rng`], [`gaussian`] | counter-based generator and integer normal transform |

#[cfg(any(feature = "host", all(feature = "host-simd", target_arch = "x86_64")))]
extern crate std;

#[cfg(target_endian = "big")]
compile_error!("model files are little endian, and weights are read in place");

mod arena;
mod conditioning;
mod error;
mod execute;
pub mod format;
pub mod gaussian;
mod given;
#[cfg(feature = "host")]
pub mod host;
pub mod kernels;
mod model;
mod moves;
pub mod plan;
mod preview;
mod previous;
pub mod quant;
pub mod rng;
mod sampler;
pub mod schedule;
mod snapshot;
mod spacing;

pub use arena::{Aligned, Arena};
pub use conditioning::{Condition, Guidance};
pub use error::{OpFault, ParseError, SamplerError, SnapshotError, Table};
pub use execute::probe;
pub use format::{arena_len, sample_len, snapshot_len, state_len, state_len_two_evaluations};
pub use given::{mask_len, Image, Known};
pub use model::{Model, Plan};
pub use preview::Preview;
pub use previous::Previous;
pub use sampler::{update, Part, Sampler};
pub use snapshot::SNAPSHOT_VERSION;
