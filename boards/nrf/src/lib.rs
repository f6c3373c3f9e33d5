#![no_std]
//! The demo's button, display, watchdog and serial line on boards with an nRF52. Interrupts serve UART and button, so that
//! neither waits for the network.

mod board;
mod dk;
mod lines;
mod panic;

pub use board::{Kind, Nrf};
pub use dk::Dk;
