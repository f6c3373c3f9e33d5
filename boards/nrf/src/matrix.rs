//! Rows and columns of LEDs that are lit in turn.

use brownian_board::demo::leds::BRIGHTEST;
use core::sync::atomic::{AtomicU8, Ordering};
use embassy_nrf::gpio::{AnyPin, Level, Output, OutputDrive};
use embassy_nrf::Peri;
use embassy_time::{Duration, Timer};

/// Microseconds in which all rows are lit once: 117 times a second.
const ALL: u64 = 8_540;

/// The levels of LEDs by their wiring. A LED is lit while its row is high and its column low.
pub struct Matrix<const ROWS: usize, const COLUMNS: usize>([[AtomicU8; COLUMNS]; ROWS]);

impl<const ROWS: usize, const COLUMNS: usize> Matrix<ROWS, COLUMNS> {
    /// Dark.
    pub const fn new() -> Self {
        Self([const { [const { AtomicU8::new(0) }; COLUMNS] }; ROWS])
    }

    /// Sets the level of the LED of a row and a column.
    pub fn set(&self, row: usize, column: usize, level: u8) {
        self.0[row][column].store(level, Ordering::Relaxed);
    }

    /// Lights row after row, for ever; each bit of a level has its share of the row's time.
    pub async fn light(&self, rows: &mut [Output<'static>; ROWS], columns: &mut [Output<'static>; COLUMNS]) -> ! {
        let unit = Duration::from_micros(ALL / (ROWS * usize::from(BRIGHTEST)) as u64);
        loop {
            for (row, levels) in rows.iter_mut().zip(&self.0) {
                for bit in 0..BRIGHTEST.count_ones() {
                    for (column, level) in columns.iter_mut().zip(levels) {
                        let is_lit = level.load(Ordering::Relaxed) >> bit & 1 == 1;
                        column.set_level(if is_lit { Level::Low } else { Level::High });
                    }
                    row.set_high();
                    Timer::after(unit * (1 << bit)).await;
                }
                row.set_low();
            }
        }
    }
}

/// Pins as outputs of this level.
pub fn outputs<const N: usize>(pins: [Peri<'static, AnyPin>; N], level: Level) -> [Output<'static>; N] {
    pins.map(|pin| Output::new(pin, level, OutputDrive::Standard))
}
