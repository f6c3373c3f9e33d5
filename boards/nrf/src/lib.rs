#![no_std]
//! The demo's button, display, watchdog and serial line on boards with an nRF51 or nRF52, and the amplifier of the
//! nRF52840-DK. Interrupts serve UART and button, so that neither waits for the network.

mod board;
#[cfg_attr(feature = "nrf51", path = "nrf51/mod.rs")]
#[cfg_attr(feature = "_nrf52", path = "nrf52.rs")]
mod chip;
#[cfg_attr(feature = "nrf52840", path = "dk.rs")]
#[cfg_attr(feature = "nrf52833", path = "microbit.rs")]
#[cfg_attr(feature = "nrf51", path = "microbit_v1.rs")]
mod kind;
mod lines;
#[cfg(any(feature = "nrf51", feature = "nrf52833"))]
mod matrix;
mod panic;
#[cfg(feature = "nrf52840")]
mod speaker;

pub use board::{Kind, Nrf};
pub use kind::*;
