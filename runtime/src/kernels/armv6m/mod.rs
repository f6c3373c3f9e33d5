//! Cortex-M0 and M0+: no multiply-accumulate, no long multiply, sixteen-bit instructions on eight registers.
//! Two products share a multiplication.

mod backend;
mod conv;
mod instructions;
mod linear;
#[cfg(feature = "winograd")]
mod winograd;

pub use instructions::Armv6m;
