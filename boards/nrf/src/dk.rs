//! The nRF52840-DK:
//!
//! | pin | what |
//! |---|---|
//! | P0.06, P0.08 | UART out and in, 115,200 baud: the serial port of the board's debugger |
//! | P0.26, P0.27 | SSD1306: SDA and SCL |
//! | P0.11 | button 1 |
//! | P0.13 | LED 1 |

use crate::board::{Kind, Nrf};
use crate::lines;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::DisplayError;
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::peripherals::{TWISPI0, UARTE0};
use embassy_nrf::twim::{self, Twim};
use embassy_nrf::uarte::{self, Uarte};
use embassy_nrf::{bind_interrupts, Peripherals};
use embassy_time::{with_timeout, Duration};
use static_cell::ConstStaticCell;

/// A frame takes 25 ms at 400 kHz; a bus that takes much longer is stuck.
const FRAME: Duration = Duration::from_millis(200);

bind_interrupts!(pub(crate) struct Irqs {
    UARTE0 => uarte::InterruptHandler<UARTE0>;
    TWISPI0 => twim::InterruptHandler<TWISPI0>;
});

/// What only this board has.
pub struct Dk {
    led: Output<'static>,
    oled: Oled<Twim<'static>>,
}

impl Dk {
    /// Starts the board.
    pub fn start(p: Peripherals) -> Nrf<Self> {
        static COPY: ConstStaticCell<[u8; 32]> = ConstStaticCell::new([0; 32]);
        let line = Uarte::new(p.UARTE0, p.P0_08, p.P0_06, Irqs, uarte::Config::default());
        let mut bus = twim::Config::default();
        bus.frequency = twim::Frequency::K400;
        let oled = Oled::new(Twim::new(p.TWISPI0, Irqs, p.P0_26, p.P0_27, bus, COPY.take()));
        let led = Output::new(p.P0_13, Level::High, OutputDrive::Standard);
        Nrf::start(Self { led, oled }, lines::start(), line, Input::new(p.P0_11, Pull::Up), p.WDT)
    }
}

impl Kind for Dk {
    const NAME: &'static str = "nRF52840-DK";

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.led.toggle();
        with_timeout(FRAME, self.oled.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
    }
}
