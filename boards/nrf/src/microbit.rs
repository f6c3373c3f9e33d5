//! The BBC micro:bit v2:
//!
//! | pin | what |
//! |---|---|
//! | P0.06, P1.08 | UART out and in, 115,200 baud: the serial port of the board's debugger |
//! | P0.21, P0.22, P0.15, P0.24, P0.19 | rows of the LEDs, which light when they are high |
//! | P0.28, P0.11, P0.31, P1.05, P0.30 | columns, which light when they are low |
//! | P0.14 | button A |

use crate::board::{Kind, Nrf};
use crate::lines;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::leds::{self, BRIGHTEST, SIDE};
use brownian_board::demo::DisplayError;
use core::sync::atomic::{AtomicU8, Ordering};
use embassy_executor::task;
use embassy_nrf::gpio::{AnyPin, Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::peripherals::UARTE0;
use embassy_nrf::uarte::{self, Uarte};
use embassy_nrf::{bind_interrupts, Peri, Peripherals};
use embassy_time::Timer;

bind_interrupts!(pub(crate) struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
});

/// Ticks of 32,768 Hz that a row is lit for each level. Five rows of seven levels pass 117 times a second.
const UNIT: u64 = 8;

/// What the LEDs show, row by row.
static LEVELS: [[AtomicU8; SIDE]; SIDE] = [const { [const { AtomicU8::new(0) }; SIDE] }; SIDE];

/// What only this board has.
pub struct Microbit;

impl Microbit {
    /// Starts the board.
    pub fn start(p: Peripherals) -> Nrf<Self> {
        let rows: [Peri<'static, AnyPin>; SIDE] =
            [p.P0_21.into(), p.P0_22.into(), p.P0_15.into(), p.P0_24.into(), p.P0_19.into()];
        let columns: [Peri<'static, AnyPin>; SIDE] =
            [p.P0_28.into(), p.P0_11.into(), p.P0_31.into(), p.P1_05.into(), p.P0_30.into()];
        let spawner = lines::start();
        let rows = rows.map(|pin| Output::new(pin, Level::Low, OutputDrive::Standard));
        let columns = columns.map(|pin| Output::new(pin, Level::High, OutputDrive::Standard));
        // Spawned once, so there is room for it.
        light(rows, columns).into_iter().for_each(|task| spawner.spawn(task));
        let line = Uarte::new(p.UARTE0, p.P1_08, p.P0_06, Irqs, uarte::Config::default());
        Nrf::start(Self, spawner, line, Input::new(p.P0_14, Pull::Up), p.WDT)
    }
}

impl Kind for Microbit {
    const NAME: &'static str = "micro:bit v2";
    const PRINTS: bool = true;

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        let levels = leds::levels(frame.image);
        for (shown, level) in LEVELS.iter().flatten().zip(levels.iter().flatten()) {
            shown.store(*level, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// Lights row after row, for ever; each bit of a level has its share of the row's time.
#[task]
async fn light(mut rows: [Output<'static>; SIDE], mut columns: [Output<'static>; SIDE]) {
    loop {
        for (row, levels) in rows.iter_mut().zip(&LEVELS) {
            for bit in 0..BRIGHTEST.count_ones() {
                for (column, level) in columns.iter_mut().zip(levels) {
                    let is_lit = level.load(Ordering::Relaxed) >> bit & 1 == 1;
                    column.set_level(if is_lit { Level::Low } else { Level::High });
                }
                row.set_high();
                Timer::after_ticks(UNIT << bit).await;
            }
            row.set_low();
        }
    }
}
