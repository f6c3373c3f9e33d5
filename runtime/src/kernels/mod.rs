//! Inner loops of the integer network.
//!
//! A kernel is one file: what it works on, what it relies on, and `portable`, the permanent reference in safe Rust for any
//! target. Every backend computes the same integers and is compared with it by `==`. Accumulators cannot overflow
//! (parsing bounds them), so a backend may add in any order.
//!
//! What a kernel may rely on, because parsing has checked it:
//! weights are in −127..=127; rows of weights start at multiples of 4 bytes and are zero beyond their
//! taps; biases and multipliers are aligned to their element size; every tensor starts at a multiple
//! of 4 bytes in the arena; slices have exactly the lengths that the shapes give.
//!
//! Whoever has no parsed model, a benchmark or a test, runs kernels through [`Checked`].
//!
//! A new kernel is a file, its two lines below, and its method and call in `backend.rs`.
//! A backend is one folder here, its `mod` line below and its entry in `active.rs`. What several backends share is in
//! `shared/`.

mod active;
mod add;
mod arguments;
mod backend;
mod checked;
mod conv;
mod depthwise;
mod epilogue;
mod gate;
mod linear;
mod lut;
mod portable;
mod scratch;
mod shared;
mod source;
mod winograd;

#[cfg(feature = "armv6m")]
mod armv6m;
#[cfg(feature = "armv7m")]
mod armv7m;
#[cfg(feature = "cortex-m-dsp")]
mod dsp;
#[cfg(feature = "helium")]
mod helium;
#[cfg(feature = "rv32")]
mod rv32;
#[cfg(feature = "host-simd")]
mod x86;

pub(crate) use active::Active;
pub use add::Add;
pub use arguments::{Arguments, Misfit};
pub use backend::Kernel;
pub use checked::{Checked, Value};
pub use conv::Conv;
pub use depthwise::Depthwise;
pub use epilogue::{Epilogue, Output, Residual};
pub use gate::Gate;
pub use linear::Linear;
pub use lut::Lut;
pub use scratch::{conv_scratch, depthwise_in_place, depthwise_scratch, pixel_tile, row_stride};
pub use source::{Source, Window};
pub use winograd::Winograd;
