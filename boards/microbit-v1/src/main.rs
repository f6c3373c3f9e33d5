#![no_std]
#![no_main]
//! The demo on a BBC micro:bit v1: draws digits on its LEDs, takes presses of button A and words over UART.

use brownian::include_model;
use brownian_board::demo::{memory, Demo};
use brownian_nrf::MicrobitV1;
use embassy_executor::Spawner;

/// The model of a board whose flash region is empty.
const BUILT_IN: &[u8] = include_model!("../../../models/digits28-nano.brn");

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = MicrobitV1::start(embassy_nrf::init(MicrobitV1::config()));
    let restart = board.restart();
    Demo::start(&mut board, memory, memory::region(), BUILT_IN, restart).await
}
