#![no_std]
#![no_main]
//! The demo on a Raspberry Pi Pico 2: draws digits on an SSD1306, or faces on an ST7789 with the feature `colour`; takes
//! presses at GP15 and words over UART and USB.

use brownian::include_model;
use brownian_board::demo::{memory, Demo};
use brownian_rp::Pico;
use embassy_executor::Spawner;

/// The model of a board whose flash region is empty.
#[cfg(not(feature = "colour"))]
const BUILT_IN: &[u8] = include_model!("../../../models/digits28.brn");
#[cfg(feature = "colour")]
const BUILT_IN: &[u8] = include_model!("../../../models/faces16.brn");

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = Pico::new(embassy_rp::init(Default::default()));
    let restart = board.restart();
    Demo::start(&mut board, memory, memory::region(), BUILT_IN, restart).await
}
