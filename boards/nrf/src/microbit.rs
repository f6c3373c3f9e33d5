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
use crate::matrix::{outputs, Matrix};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::leds::{self, SIDE};
use brownian_board::demo::DisplayError;
use embassy_executor::task;
use embassy_nrf::gpio::{AnyPin, Input, Level, Output, Pull};
use embassy_nrf::peripherals::UARTE0;
use embassy_nrf::uarte::{self, Uarte};
use embassy_nrf::{bind_interrupts, Peri, Peripherals};

bind_interrupts!(pub(crate) struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
});

/// The LEDs, wired as they are seen.
static LEDS: Matrix<SIDE, SIDE> = Matrix::new();

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
        // Spawned once, so there is room for it.
        light(outputs(rows, Level::Low), outputs(columns, Level::High))
            .into_iter()
            .for_each(|task| spawner.spawn(task));
        let line = Uarte::new(p.UARTE0, p.P1_08, p.P0_06, Irqs, uarte::Config::default());
        Nrf::start(Self, spawner, line, Input::new(p.P0_14, Pull::Up), p.WDT)
    }
}

impl Kind for Microbit {
    const NAME: &'static str = "micro:bit v2";
    const PRINTS: bool = true;

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        for (row, levels) in leds::shown(frame).iter().enumerate() {
            levels.iter().enumerate().for_each(|(column, level)| LEDS.set(row, column, *level));
        }
        Ok(())
    }
}

/// Lights the LEDs.
#[task]
async fn light(mut rows: [Output<'static>; SIDE], mut columns: [Output<'static>; SIDE]) {
    LEDS.light(&mut rows, &mut columns).await;
}
