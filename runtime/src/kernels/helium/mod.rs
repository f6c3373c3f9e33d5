//! Cortex-M55: the M-profile vector extension, sixteen 8-bit products an instruction.

mod backend;
mod bytes;
mod depthwise;
mod gate;
mod instructions;

pub use instructions::Helium;
