#![no_std]
#![no_main]
//! The demo on a Raspberry Pi Pico: draws digits on an SSD1306, takes presses at GP15 and words over UART and USB.

use brownian::include_model;
use brownian_board::demo::{memory, Demo, Source};
use brownian_rp::Pico;
use embassy_executor::Spawner;
use static_cell::StaticCell;

/// The model of a board whose flash region is empty.
const BUILT_IN: &[u8] = include_model!("../../../models/digits28.brn");

#[embassy_executor::main]
async fn main(_spawner: Spawner) {
    // SAFETY: the only call, and the first.
    let memory = unsafe { memory::take() };
    let mut board = Pico::new(embassy_rp::init(Default::default()));
    static MODEL: StaticCell<Option<brownian::Model>> = StaticCell::new();
    let room = memory.len();
    let source = Source::choose(memory::region(), BUILT_IN, room, MODEL.init(None));
    let source = source.expect("the firmware's own model fits");
    let (arena, state) = (source.model().arena_len(), source.model().state_len());
    let parts = memory.divide(arena, state).expect("checked with the source");
    let restart = board.restart();
    let demo = Demo::new(source, parts, room).expect("a parsed model has plans");
    demo.run(&mut board, restart).await
}
