//! An ST7789 at SPI.

use brownian_board::demo::frame::Frame;
use brownian_board::demo::pixels::Pixels;
use brownian_board::demo::tft::Tft;
use brownian_board::demo::DisplayError;
use core::hint::spin_loop;
use embassy_rp::gpio::{Level, Output};
use embassy_rp::peripherals::{PIN_17, PIN_18, PIN_19, PIN_20, PIN_21, SPI0};
use embassy_rp::spi::{Blocking, Config, Spi};
use embassy_rp::Peri;
use embassy_time::{Duration, Instant};
use embedded_hal::delay::DelayNs;
use embedded_hal_bus::spi::{ExclusiveDevice, NoDelay};
use mipidsi::interface::SpiInterface;
use static_cell::ConstStaticCell;

/// The display takes 62.5 MHz at most, loose wires less; of this it gets 25 MHz, the clock's next whole part.
const FREQUENCY: u32 = 32_000_000;
/// Bytes of pixels that are sent at once.
const BATCH: usize = 256;

type Bus = ExclusiveDevice<Spi<'static, SPI0, Blocking>, Output<'static>, NoDelay>;

pub type Raster = &'static mut Pixels;
pub type Display = Tft<SpiInterface<'static, Bus, Output<'static>>, Output<'static>, Wait>;

/// Waits while interrupts go on.
pub struct Wait;

impl DelayNs for Wait {
    fn delay_ns(&mut self, ns: u32) {
        let end = Instant::now() + Duration::from_nanos(ns.into()) + Duration::from_ticks(1);
        while Instant::now() < end {
            spin_loop();
        }
    }
}

/// The display, with its pins CS, SCL, SDA, DC and RES.
pub fn new(
    spi: Peri<'static, SPI0>,
    select: Peri<'static, PIN_17>,
    clock: Peri<'static, PIN_18>,
    data: Peri<'static, PIN_19>,
    is_data: Peri<'static, PIN_20>,
    reset: Peri<'static, PIN_21>,
) -> Display {
    static PIXELS: ConstStaticCell<[u8; BATCH]> = ConstStaticCell::new([0; BATCH]);
    let mut config = Config::default();
    config.frequency = FREQUENCY;
    let spi = Spi::new_blocking_txonly(spi, clock, data, config);
    // Neither a pin nor the bus can fail.
    let Ok(bus) = ExclusiveDevice::new_no_delay(spi, Output::new(select, Level::High));
    let interface = SpiInterface::new(bus, Output::new(is_data, Level::Low), PIXELS.take());
    Tft::new(interface, Output::new(reset, Level::High), Wait)
}

/// The memory of an image; it can be had once.
pub fn raster() -> Raster {
    static IMAGE: ConstStaticCell<Pixels> = ConstStaticCell::new(Pixels::blank());
    IMAGE.take()
}

/// Shows a frame; nothing but interrupts runs meanwhile.
pub async fn show(display: &mut Display, frame: &Frame<'_, Raster>) -> Result<(), DisplayError> {
    display.show(frame)
}
