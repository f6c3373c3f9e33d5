//! An SSD1306 of 128×64 dots at an I²C bus.

use super::board::DisplayError;
use super::frame::Frame;
use embedded_graphics::Drawable;
use embedded_hal_async::i2c::I2c;
use ssd1306::mode::BufferedGraphicsModeAsync;
use ssd1306::prelude::*;
use ssd1306::{I2CDisplayInterface, Ssd1306Async};

type Driver<I> = Ssd1306Async<I2CInterface<I>, DisplaySize128x64, BufferedGraphicsModeAsync<DisplaySize128x64>>;

/// The display. It is set up before its first frame, and again after it has failed: it may be plugged in at any time.
pub struct Oled<I> {
    driver: Driver<I>,
    is_ready: bool,
}

impl<I: I2c> Oled<I> {
    /// The display with the usual address 0x3c at this bus.
    pub fn new(bus: I) -> Self {
        let interface = I2CDisplayInterface::new(bus);
        let driver = Ssd1306Async::new(interface, DisplaySize128x64, DisplayRotation::Rotate0);
        Self { driver: driver.into_buffered_graphics_mode(), is_ready: false }
    }

    /// Shows a frame. May be dropped before it ends, as a time limit does.
    ///
    /// # Errors
    /// The display does not answer.
    pub async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        let was_ready = core::mem::take(&mut self.is_ready);
        if !was_ready {
            self.driver.init().await.map_err(|_| DisplayError::NoAnswer)?;
        }
        frame.draw(&mut self.driver).map_err(|_| DisplayError::NoAnswer)?;
        self.driver.flush().await.map_err(|_| DisplayError::NoAnswer)?;
        self.is_ready = true;
        Ok(())
    }
}
