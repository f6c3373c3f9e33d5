//! Cortex-M3: a multiply-accumulate, but one product at a time. Two products share a multiplication.

mod backend;
mod conv;
mod instructions;
mod linear;
#[cfg(feature = "winograd")]
mod winograd;

pub use instructions::Armv7m;
