#![no_std]
#![no_main]
//! The demo on a BBC micro:bit v2: draws digits on its LEDs, takes presses of button A and words over UART.

use brownian::include_model;
use brownian_board::demo::{memory, Demo};
use brownian_nrf::Microbit;
use embassy_executor::Spawner;

/// The model of a board whose flash region is empty.
const BUILT_IN: &[u8] = include_model!("../../../models/digits28.brn");

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = Microbit::start(embassy_nrf::init(Default::default()));
    let restart = board.restart();
    Demo::start(&mut board, memory, memory::region(), BUILT_IN, restart).await
}
