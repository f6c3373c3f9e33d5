//! The board as the demo sees it.

use crate::lines::{self, INPUTS};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::press::Press;
use brownian_board::demo::{memory, Board, DisplayError};
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::gpio::{Level, Output, Pull, Speed};
use embassy_stm32::i2c::{self, I2c, Master};
use embassy_stm32::mode::Async;
use embassy_stm32::pac::{DBGMCU, RCC};
use embassy_stm32::peripherals::{DMA1_CH0, DMA1_CH6, I2C1, IWDG, USART2};
use embassy_stm32::rcc::{APBPrescaler, Pll, PllMul, PllPDiv, PllPreDiv, PllSource, Sysclk};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart, BufferedUartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{bind_interrupts, dma, interrupt, Config, Peripherals};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::{with_timeout, Duration, Instant, Timer};
use embedded_io_async::Write;
use static_cell::ConstStaticCell;

/// Microseconds after which a watchdog that is not fed restarts the board.
const PERIOD: u32 = 4_000_000;
/// A frame takes 25 ms at 400 kHz; a bus that takes much longer is stuck.
const FRAME: Duration = Duration::from_millis(200);
/// Characters that are handed to the UART at once, and the longest that it takes to send them.
const PIECE: usize = 64;
const PIECE_TIME: Duration = Duration::from_millis(10);

bind_interrupts!(struct Irqs {
    USART2 => usart::BufferedInterruptHandler<USART2>;
    I2C1_EV => i2c::EventInterruptHandler<I2C1>;
    I2C1_ER => i2c::ErrorInterruptHandler<I2C1>;
    DMA1_STREAM6 => dma::InterruptHandler<DMA1_CH6>;
    DMA1_STREAM0 => dma::InterruptHandler<DMA1_CH0>;
    EXTI0 => exti::InterruptHandler<interrupt::typelevel::EXTI0>;
});

/// 100 MHz from the oscillator that is on the chip, whatever crystal the board has.
pub fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = true;
    config.rcc.pll_src = PllSource::HSI;
    config.rcc.pll =
        Some(Pll { prediv: PllPreDiv::DIV8, mul: PllMul::MUL100, divp: Some(PllPDiv::DIV2), divq: None, divr: None });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config
}

/// The board.
pub struct BlackPill {
    led: Output<'static>,
    oled: Oled<I2c<'static, Async, Master>>,
    uart: BufferedUartTx<'static>,
    watchdog: IndependentWatchdog<'static, IWDG>,
    inputs: Listener<CriticalSectionRawMutex>,
    restart: Option<&'static str>,
}

impl BlackPill {
    /// Starts everything, the watchdog last.
    pub fn start(p: Peripherals) -> Self {
        static SENT: ConstStaticCell<[u8; PIECE]> = ConstStaticCell::new([0; PIECE]);
        static RECEIVED: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        let restart = RCC.csr().read().wdgrstf().then_some("the watchdog");
        // Reasons stay until they are cleared.
        RCC.csr().modify(|w| w.set_rmvf(true));
        let config = usart::Config::default();
        let line = BufferedUart::new(p.USART2, p.PA3, p.PA2, SENT.take(), RECEIVED.take(), Irqs, config);
        let (uart, received) = line.expect("115,200 baud can be had from 50 MHz").split();
        let mut bus = i2c::Config::default();
        bus.frequency = Hertz(400_000);
        let oled = Oled::new(I2c::new(p.I2C1, p.PB6, p.PB7, p.DMA1_CH6, p.DMA1_CH0, Irqs, bus));
        let spawner = lines::start();
        // Each is spawned once, so there is room for it.
        let button = ExtiInput::new(p.PA0, p.EXTI0, Pull::Up, Irqs);
        lines::button(button).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        DBGMCU.apb1fzr().modify(|w| w.set_iwdg(true));
        let mut watchdog = IndependentWatchdog::new(p.IWDG, PERIOD);
        watchdog.unleash();
        let led = Output::new(p.PC13, Level::High, Speed::Low);
        Self { led, oled, uart, watchdog, inputs: Listener::new(&INPUTS), restart }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.restart
    }
}

impl Board for BlackPill {
    const NAME: &'static str = "STM32F411";

    fn micros(&mut self) -> u64 {
        Instant::now().as_micros()
    }

    fn stack(&self) -> Option<(usize, usize)> {
        Some((memory::stack_used(), memory::STACK))
    }

    fn feed_watchdog(&mut self) {
        self.watchdog.pet();
    }

    fn press(&mut self) -> Option<Press> {
        self.inputs.press()
    }

    fn read(&mut self) -> Option<u8> {
        self.inputs.read()
    }

    async fn write(&mut self, line: &str) {
        // Into an empty buffer: the driver of embassy-stm32 0.6 tells nobody when a full one has room again, and its flush
        // may miss the end.
        for piece in line.as_bytes().chunks(PIECE) {
            // A UART has no errors to send.
            _ = self.uart.write_all(piece).await;
            _ = with_timeout(PIECE_TIME, self.uart.flush()).await;
        }
    }

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.led.toggle();
        with_timeout(FRAME, self.oled.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
    }

    async fn pause(&mut self, micros: u64) {
        self.inputs.pause((micros > 0).then(|| Timer::after_micros(micros))).await;
    }
}
