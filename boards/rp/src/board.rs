//! A Pico as the demo sees it.

use crate::display::{self, Display};
use crate::lines::{self, INPUTS};
use crate::usb::{self, IS_OPEN, OUTPUT};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::{Board, DisplayError};
use embassy_rp::bind_interrupts;
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::peripherals::{UART0, USB};
use embassy_rp::uart::{self, BufferedUart, BufferedUartTx};
use embassy_rp::usb::Driver;
use embassy_rp::watchdog::Watchdog;
use embassy_rp::Peripherals;
use embassy_time::{with_timeout, Duration};
use embedded_io_async::Write;
use portable_atomic::Ordering;
use static_cell::ConstStaticCell;

/// A watchdog that is not fed for so long restarts the board.
pub const PERIOD: Duration = Duration::from_secs(4);

/// A program that has opened the USB port and reads nothing for so long loses lines.
const USB_WAIT: Duration = Duration::from_millis(100);

bind_interrupts!(struct Irqs {
    UART0_IRQ => uart::BufferedInterruptHandler<UART0>;
    USBCTRL_IRQ => embassy_rp::usb::InterruptHandler<USB>;
});

/// The board.
pub struct Pico {
    led: Output<'static>,
    display: Display,
    uart: BufferedUartTx,
    watchdog: Watchdog,
    inputs: Listener,
    #[cfg(feature = "speaker")]
    speaker: crate::speaker::Speaker,
    #[cfg(feature = "two-cores")]
    second: &'static dyn brownian::Fork,
}

impl Pico {
    /// Starts everything, the watchdog last.
    pub fn new(p: Peripherals) -> Self {
        static SENT: ConstStaticCell<[u8; 128]> = ConstStaticCell::new([0; 128]);
        static RECEIVED: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        let line =
            BufferedUart::new(p.UART0, p.PIN_0, p.PIN_1, Irqs, SENT.take(), RECEIVED.take(), uart::Config::default());
        let (uart, received) = line.split();
        #[cfg(not(feature = "colour"))]
        let display = display::new(p.I2C0, p.PIN_4, p.PIN_5);
        #[cfg(feature = "colour")]
        let display = display::new(p.SPI0, p.PIN_17, p.PIN_18, p.PIN_19, p.PIN_20, p.PIN_21);
        let spawner = lines::start();
        // Each is spawned once, so there is room for it.
        lines::button(Input::new(p.PIN_15, Pull::Up)).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        usb::usb(Driver::new(p.USB, Irqs), Self::NAME).into_iter().for_each(|task| spawner.spawn(task));
        #[cfg(feature = "two-cores")]
        let second = crate::core1::start(p.CORE1);
        let mut watchdog = Watchdog::new(p.WATCHDOG);
        watchdog.pause_on_debug(true);
        watchdog.start(PERIOD);
        Self {
            led: Output::new(p.PIN_25, Level::Low),
            display,
            uart,
            watchdog,
            inputs: Listener::new(&INPUTS),
            #[cfg(feature = "speaker")]
            speaker: crate::speaker::Speaker::Parts((p.PIO0, p.DMA_CH0, p.PIN_9, p.PIN_10, p.PIN_11)),
            #[cfg(feature = "two-cores")]
            second,
        }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.watchdog.reset_reason().map(|_| "the watchdog")
    }
}

impl Board for Pico {
    const NAME: &'static str = if cfg!(feature = "rp2040") { "Pico" } else { "Pico 2" };

    type Raster = display::Raster;

    #[cfg(feature = "two-cores")]
    fn second_core(&self) -> Option<&'static dyn brownian::Fork> {
        Some(self.second)
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.feed(PERIOD);
    }

    fn inputs(&mut self) -> &mut Listener {
        &mut self.inputs
    }

    async fn send(&mut self, line: &str) {
        if IS_OPEN.load(Ordering::Relaxed) {
            _ = with_timeout(USB_WAIT, OUTPUT.write_all(line.as_bytes())).await;
        }
        // A UART has no errors to send.
        _ = self.uart.write_all(line.as_bytes()).await;
    }

    fn raster(&mut self) -> Self::Raster {
        display::raster()
    }

    async fn show(&mut self, frame: &Frame<'_, Self::Raster>) -> Result<(), DisplayError> {
        self.led.toggle();
        display::show(&mut self.display, frame).await
    }
    #[cfg(feature = "speaker")]
    const SPEAKS: bool = true;

    #[cfg(feature = "speaker")]
    async fn play(&mut self, rate: u32, sound: brownian_board::demo::speaker::Sound<'_>) {
        let Self { speaker, watchdog, inputs, .. } = self;
        let goes_on = || {
            watchdog.feed(PERIOD);
            !inputs.is_waiting()
        };
        speaker.play(rate, sound, goes_on).await;
    }
}
