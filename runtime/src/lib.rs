#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! Diffusion models on microcontrollers.

pub mod kernels;
pub mod quant;
pub mod schedule;
