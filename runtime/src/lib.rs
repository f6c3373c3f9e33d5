#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! Diffusion models on microcontrollers.

pub mod gaussian;
pub mod kernels;
pub mod plan;
pub mod planner;
pub mod quant;
pub mod rng;
pub mod schedule;
