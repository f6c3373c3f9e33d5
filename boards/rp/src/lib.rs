#![no_std]
//! The demo's button, display, watchdog and serial lines on a Raspberry Pi Pico or Pico 2. The wiring is the same:
//!
//! | pin | what |
//! |---|---|
//! | GP0, GP1 | UART: 115,200 baud out and in |
//! | GP4, GP5 | SSD1306: SDA and SCL |
//! | GP17 to GP21 | with the feature `colour` instead of it an ST7789: CS, SCL, SDA, DC and RES |
//! | GP9, GP10, GP11 | with the feature `speaker` an amplifier at I²S: DIN, BCLK and LRC |
//! | GP15 | button to ground |
//! | USB | the same serial line as a USB port |
//!
//! Interrupts serve USB, UART and button, so that none waits for the network.

mod board;
#[cfg(feature = "two-cores")]
mod core1;
#[cfg_attr(feature = "colour", path = "tft.rs")]
#[cfg_attr(not(feature = "colour"), path = "oled.rs")]
mod display;
mod lines;
mod panic;
#[cfg(feature = "speaker")]
mod speaker;
mod usb;

pub use board::{Pico, PERIOD};
