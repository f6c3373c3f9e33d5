#![no_std]
//! The demo's button, display, watchdog and serial lines on a Raspberry Pi Pico or Pico 2. The wiring is the same:
//!
//! | pin | what |
//! |---|---|
//! | GP0, GP1 | UART: 115,200 baud out and in |
//! | GP4, GP5 | SSD1306: SDA and SCL |
//! | GP15 | button to ground |
//! | USB | the same serial line as a USB port |
//!
//! Interrupts serve USB, UART and button, so that none waits for the network.

mod board;
#[cfg(feature = "two-cores")]
mod core1;
mod lines;
mod panic;
mod usb;

pub use board::{Pico, PERIOD};
