//! The board as the demo sees it.

use crate::lines::{self, INPUTS, IS_READ, OUTPUT};
use brownian_board::demo::dither::Dots;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::{Board, DisplayError};
use core::sync::atomic::Ordering;
use embassy_time::{with_timeout, Duration};
use embedded_io_async::Write;
use esp_hal::clock::CpuClock;
use esp_hal::gpio::{Input, InputConfig, Pull};
use esp_hal::i2c::master::{self, I2c};
use esp_hal::peripherals::Peripherals;
use esp_hal::rtc_cntl::{Rtc, RwdtStage, SocResetReason};
use esp_hal::system::reset_reason;
use esp_hal::time::Rate;
use esp_hal::timer::timg::TimerGroup;
use esp_hal::uart::{self, Uart, UartTx};
use esp_hal::usb::usb_serial_jtag::UsbSerialJtag;
use esp_hal::{Async, Config};

/// A watchdog that is not fed for so long restarts the board.
const PERIOD: esp_hal::time::Duration = esp_hal::time::Duration::from_secs(4);
/// A frame takes 25 ms at 400 kHz; a bus that takes much longer is stuck.
const FRAME: Duration = Duration::from_millis(200);
/// Lines are lost on a USB port that nobody has read for so long, until somebody does.
const USB_WAIT: Duration = Duration::from_millis(100);

/// 160 MHz.
pub fn clocks() -> Config {
    Config::default().with_cpu_clock(CpuClock::max())
}

/// The board.
pub struct Esp {
    oled: Oled<I2c<'static, Async>>,
    uart: UartTx<'static, Async>,
    watchdog: Rtc<'static>,
    inputs: Listener,
    restart: Option<&'static str>,
}

impl Esp {
    /// Starts everything, the watchdog last.
    pub fn start(p: Peripherals) -> Self {
        let restart = matches!(reset_reason(), Some(SocResetReason::SysRtcWdt)).then_some("the watchdog");
        esp_rtos::start(TimerGroup::new(p.TIMG0).timer0, p.FROM_CPU_INTR0);
        let line = Uart::new(p.UART0, uart::Config::default()).expect("115,200 baud can be had from 80 MHz");
        let (received, uart) = line.with_rx(p.GPIO20).with_tx(p.GPIO21).split();
        let bus = master::Config::default().with_frequency(Rate::from_khz(400));
        let bus = I2c::new(p.I2C0, bus).expect("400 kHz can be had from 40 MHz");
        let oled = Oled::new(bus.with_sda(p.GPIO5).with_scl(p.GPIO6).into_async());
        let spawner = lines::start(p.FROM_CPU_INTR1);
        // Each is spawned once, so there is room for it.
        let button = Input::new(p.GPIO9, InputConfig::default().with_pull(Pull::Up));
        lines::button(button).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        lines::usb(UsbSerialJtag::new(p.USB_DEVICE)).into_iter().for_each(|task| spawner.spawn(task));
        let mut watchdog = Rtc::new(p.RTC_TIMER);
        watchdog.rwdt.set_timeout(RwdtStage::Stage0, PERIOD);
        watchdog.rwdt.enable();
        Self { oled, uart: uart.into_async(), watchdog, inputs: Listener::new(&INPUTS), restart }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.restart
    }
}

impl Board for Esp {
    const NAME: &'static str = "ESP32-C3";

    type Raster = Dots;

    fn feed_watchdog(&mut self) {
        self.watchdog.rwdt.feed();
    }

    fn inputs(&mut self) -> &mut Listener {
        &mut self.inputs
    }

    async fn send(&mut self, line: &str) {
        if IS_READ.load(Ordering::Relaxed) && with_timeout(USB_WAIT, OUTPUT.write_all(line.as_bytes())).await.is_err() {
            IS_READ.store(false, Ordering::Relaxed);
        }
        // A UART has no errors to send.
        _ = self.uart.write_all(line.as_bytes()).await;
    }

    fn raster(&mut self) -> Dots {
        Dots::blank()
    }

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        with_timeout(FRAME, self.oled.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
    }
}
