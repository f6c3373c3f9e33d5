#![no_std]
//! The demo's button, display, watchdog and serial line on boards with an STM32. Interrupts serve UART and button, so that
//! neither waits for the network.

mod board;
#[cfg_attr(feature = "stm32f411", path = "f411.rs")]
#[cfg_attr(feature = "stm32h743", path = "h743.rs")]
mod kind;
mod lines;
mod panic;

pub use board::{Kind, Stm32};
pub use kind::*;
