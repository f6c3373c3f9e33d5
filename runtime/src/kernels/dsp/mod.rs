//! Cortex-M4, M7 and M33: the DSP extension's dual 16-bit multiply-accumulate.
//! Requantization is one `smlawb`, a shift and `ssat`.

mod add;
mod backend;
mod conv;
mod depthwise;
mod finish;
mod instructions;
mod linear;
#[cfg(feature = "winograd")]
mod winograd;

pub use instructions::Dsp;
