//! The nRF52840-DK:
//!
//! | pin | what |
//! |---|---|
//! | P0.06, P0.08 | UART out and in, 115,200 baud: the serial port of the board's debugger |
//! | P0.26, P0.27 | SSD1306: SDA and SCL |
//! | P1.10, P1.11, P1.12 | an amplifier at I²S: BCLK, LRC and DIN; P1.13 has the chip's master clock meanwhile |
//! | P0.11 | button 1 |
//! | P0.13 | LED 1 |

use crate::board::{Kind, Nrf};
use crate::lines;
use crate::speaker::Speaker;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::speaker::Sound;
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
    speaker: Speaker,
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
        let speaker =
            Speaker { bus: p.I2S, bit_clock: p.P1_10, side_clock: p.P1_11, data: p.P1_12, master_clock: p.P1_13 };
        Nrf::start(Self { led, oled, speaker }, lines::start(), line, Input::new(p.P0_11, Pull::Up), p.WDT)
    }
}

impl Kind for Dk {
    const NAME: &'static str = "nRF52840-DK";

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.led.toggle();
        with_timeout(FRAME, self.oled.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
    }

    const SPEAKS: bool = true;

    async fn play(&mut self, rate: u32, sound: Sound<'_>, goes_on: impl FnMut() -> bool) {
        self.speaker.play(rate, sound, goes_on).await;
    }
}
