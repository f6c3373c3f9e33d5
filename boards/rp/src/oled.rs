//! An SSD1306 at I²C.

use brownian_board::demo::dither::Dots;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::DisplayError;
use embassy_rp::i2c::{Async, Config, I2c, InterruptHandler};
use embassy_rp::peripherals::{I2C0, PIN_4, PIN_5};
use embassy_rp::{bind_interrupts, Peri};
use embassy_time::{with_timeout, Duration};

/// A frame takes 25 ms at 400 kHz; a bus that takes much longer is stuck.
const FRAME: Duration = Duration::from_millis(200);

bind_interrupts!(struct Irqs {
    I2C0_IRQ => InterruptHandler<I2C0>;
});

pub type Raster = Dots;
pub type Display = Oled<I2c<'static, I2C0, Async>>;

/// The display, with its pins SDA and SCL.
pub fn new(i2c: Peri<'static, I2C0>, sda: Peri<'static, PIN_4>, scl: Peri<'static, PIN_5>) -> Display {
    let mut bus = Config::default();
    bus.frequency = 400_000;
    Oled::new(I2c::new_async(i2c, scl, sda, Irqs, bus))
}

/// The memory of an image.
pub fn raster() -> Raster {
    Dots::blank()
}

/// Shows a frame.
pub async fn show(display: &mut Display, frame: &Frame<'_, Raster>) -> Result<(), DisplayError> {
    with_timeout(FRAME, display.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
}
