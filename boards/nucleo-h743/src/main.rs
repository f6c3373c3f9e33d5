#![no_std]
#![no_main]
//! The demo on a Nucleo-H743ZI: draws digits on an SSD1306, takes presses of the blue button and words over UART.

use brownian::include_model;
use brownian_board::demo::{memory, Demo};
use brownian_stm32::{clocks, Nucleo};
use embassy_executor::Spawner;

/// The model of a board whose flash region is empty.
const BUILT_IN: &[u8] = include_model!("../../../models/digits28.brn");

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = Nucleo::start(embassy_stm32::init(clocks()));
    let restart = board.restart();
    Demo::start(&mut board, memory, memory::region(), BUILT_IN, restart).await
}
