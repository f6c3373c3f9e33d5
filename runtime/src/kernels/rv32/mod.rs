//! RV32IM: a multiplication and an addition a product, and 31 registers.

mod backend;
mod conv;
mod finish;
mod instructions;
mod linear;
#[cfg(feature = "winograd")]
mod winograd;

pub use instructions::Rv32;
