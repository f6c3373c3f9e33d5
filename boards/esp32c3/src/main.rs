#![no_std]
#![no_main]
//! The demo on an ESP32-C3: draws digits on an SSD1306, takes presses of BOOT and words over UART and USB.
//!
//! | pin | what |
//! |---|---|
//! | GPIO21, GPIO20 | UART out and in, 115,200 baud |
//! | GPIO5, GPIO6 | SSD1306: SDA and SCL |
//! | GPIO9 | button BOOT |
//! | USB | the same serial line as a USB port, on boards that have the chip's own |

mod board;
mod lines;
mod panic;
mod region;

use board::Esp;
use brownian::include_model;
use brownian_board::demo::{memory, Demo};
use embassy_executor::Spawner;

/// The model of a board whose flash region is empty.
const BUILT_IN: &[u8] = include_model!("../../../models/digits28.brn");

esp_bootloader_esp_idf::esp_app_desc!();

#[esp_rtos::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = Esp::start(esp_hal::init(board::clocks()));
    let restart = board.restart();
    Demo::start(&mut board, memory, region::map(), BUILT_IN, restart).await
}
