//! RV32IM: a multiplication and an addition a product, and 31 registers.

mod backend;
mod conv;
mod instructions;
mod linear;

pub use instructions::Rv32;
