//! The BBC micro:bit v1:
//!
//! | pin | what |
//! |---|---|
//! | P0.24, P0.25 | UART out and in, 115,200 baud: the serial port of the board's debugger |
//! | P0.13 to P0.15 | rows of the LEDs, which light when they are high |
//! | P0.04 to P0.12 | columns, which light when they are low |
//! | P0.17 | button A |

use crate::board::{Kind, Nrf};
use crate::chip::{self, Uart};
use crate::lines;
use crate::matrix::{outputs, Matrix};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::leds::{self, SIDE};
use brownian_board::demo::press::Polled;
use brownian_board::demo::DisplayError;
use embassy_executor::task;
use embassy_nrf::config::{Config, HfclkSource};
use embassy_nrf::gpio::{AnyPin, Input, Level, Output, Pull};
use embassy_nrf::{Peri, Peripherals};
use embassy_time::Delay;

/// Rows and columns as they are wired.
const ROWS: usize = 3;
const COLUMNS: usize = 9;

/// The row and the column of each LED that is seen, from the board's schematic.
static WIRING: [[(u8, u8); SIDE]; SIDE] = [
    [(0, 0), (1, 3), (0, 1), (1, 4), (0, 2)],
    [(2, 3), (2, 4), (2, 5), (2, 6), (2, 7)],
    [(1, 1), (0, 8), (1, 2), (2, 8), (1, 0)],
    [(0, 7), (0, 6), (0, 5), (0, 4), (0, 3)],
    [(2, 2), (1, 6), (2, 0), (1, 5), (2, 1)],
];

/// The LEDs by their wiring.
static LEDS: Matrix<ROWS, COLUMNS> = Matrix::new();

/// What only this board has.
pub struct MicrobitV1;

impl MicrobitV1 {
    /// How the chip is to be set up: the UART's baud rate needs the crystal.
    pub fn config() -> Config {
        let mut config = Config::default();
        config.hfclk_source = HfclkSource::ExternalXtal;
        config
    }

    /// Starts the board. Not inlined, so that what it needs on the stack is given back.
    #[inline(never)]
    pub fn start(p: Peripherals) -> Nrf<Self> {
        let rows: [Peri<'static, AnyPin>; ROWS] = [p.P0_13.into(), p.P0_14.into(), p.P0_15.into()];
        let columns: [Peri<'static, AnyPin>; COLUMNS] = [
            p.P0_04.into(),
            p.P0_05.into(),
            p.P0_06.into(),
            p.P0_07.into(),
            p.P0_08.into(),
            p.P0_09.into(),
            p.P0_10.into(),
            p.P0_11.into(),
            p.P0_12.into(),
        ];
        chip::start_clock();
        let spawner = lines::start();
        // Spawned once, so there is room for it.
        light(outputs(rows, Level::Low), outputs(columns, Level::High))
            .into_iter()
            .for_each(|task| spawner.spawn(task));
        let line = Uart::new(p.UART0, p.P0_25, p.P0_24);
        let button = Polled::new(Input::new(p.P0_17, Pull::Up), Delay);
        Nrf::start(Self, spawner, line, button, p.WDT)
    }
}

impl Kind for MicrobitV1 {
    const NAME: &'static str = "micro:bit v1";
    const PRINTS: bool = true;

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        for (levels, places) in leds::shown(frame).iter().zip(&WIRING) {
            for (level, &(row, column)) in levels.iter().zip(places) {
                LEDS.set(row.into(), column.into(), *level);
            }
        }
        Ok(())
    }
}

/// Lights the LEDs.
#[task]
async fn light(mut rows: [Output<'static>; ROWS], mut columns: [Output<'static>; COLUMNS]) {
    LEDS.light(&mut rows, &mut columns).await;
}
