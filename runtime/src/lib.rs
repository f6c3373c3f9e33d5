#![no_std]
//! Diffusion models on microcontrollers.

pub mod schedule;
