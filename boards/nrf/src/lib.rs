#![no_std]
//! The demo's button, display, watchdog and serial line on boards with an nRF52. Interrupts serve UART and button, so that
//! neither waits for the network.

mod board;
#[cfg_attr(feature = "nrf52840", path = "dk.rs")]
#[cfg_attr(feature = "nrf52833", path = "microbit.rs")]
mod kind;
mod lines;
mod panic;

pub use board::{Kind, Nrf};
pub use kind::*;
