#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! Diffusion models on microcontrollers: the reverse chain in static buffers, bit for bit the same on
//! every target.
//!
//! A model file (`.brn`, written by the `trainer` crate) is data: weights, a flat list of integer ops,
//! and sampling plans. [`Model::parse`] checks it once and borrows it; [`Sampler`] runs a plan step by
//! step in memory that the caller owns. There is no heap, no logging and no panic.
//!
//! ```ignore
//! use brownian::{include_model, Arena, Condition, Model, Sampler};
//!
//! static MODEL: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/../models/digits28.brn"));
//! static mut ARENA: Arena<{ brownian::arena_len(MODEL) }> = Arena::new();
//!
//! # let (mut arena, mut state) = (Arena::<{ brownian::arena_len(MODEL) }>::new(), [0.0f32; brownian::state_len(MODEL)]);
//! let model = Model::parse(MODEL)?;
//! let plan = model.plans().next().expect("a model has plans");
//! let mut sampler = Sampler::new(&model, plan, Condition::class(7), (1, 0), arena.bytes_mut(), &mut state)?;
//! while sampler.step() {}
//! let image: &[f32] = sampler.x(); // 28·28 values in [-1, 1]
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`format`] | the model file: types, reader, writer, validation |
//! | [`quant`] | the only rounding rule |
//! | [`kernels`] | inner loops, one file a backend |
//! | [`planner`] | lifetimes to arena offsets |
//! | [`schedule`], [`plan`] | β_t and ᾱ_t in f64; samplers as tables of one affine update |
//! | [`rng`], [`gaussian`] | counter-based generator and integer normal transform |

#[cfg(target_endian = "big")]
compile_error!("model files are little endian, and weights are read in place");

mod arena;
mod conditioning;
mod error;
mod execute;
pub mod format;
pub mod gaussian;
pub mod kernels;
mod model;
mod moves;
pub mod plan;
pub mod planner;
pub mod quant;
pub mod rng;
mod sampler;
pub mod schedule;

pub use arena::{Aligned, Arena};
pub use conditioning::Condition;
pub use error::{EncodeError, OpFault, ParseError, SamplerError, Table};
pub use format::{arena_len, state_len};
pub use model::{Model, Plan};
pub use sampler::{update, Part, Sampler};
