//! An STM32F411 board ("Black Pill"):
//!
//! | pin | what |
//! |---|---|
//! | PA2, PA3 | UART out and in, 115,200 baud |
//! | PB6, PB7 | SSD1306: SCL and SDA |
//! | PA0 | button KEY |
//! | PC13 | LED |

use crate::board::{Kind, Stm32, PIECE};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::DisplayError;
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::gpio::{Level, Output, Pull, Speed};
use embassy_stm32::i2c::{self, I2c, Master};
use embassy_stm32::mode::{Async, Blocking};
use embassy_stm32::pac::{DBGMCU, RCC};
use embassy_stm32::peripherals::{DMA1_CH0, DMA1_CH6, I2C1, IWDG, USART2};
use embassy_stm32::rcc::{APBPrescaler, Pll, PllMul, PllPDiv, PllPreDiv, PllSource, Sysclk};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart, UartTx};
use embassy_stm32::{bind_interrupts, dma, interrupt, Config, Peripherals};
use embassy_time::{with_timeout, Duration};
use static_cell::ConstStaticCell;

/// A frame takes 25 ms at 400 kHz; a bus that takes much longer is stuck.
const FRAME: Duration = Duration::from_millis(200);

/// Low while it is down.
pub(crate) type Button = ExtiInput<'static, Async>;
pub(crate) type WatchdogTimer = IWDG;

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

/// The UART for last words.
pub(crate) fn plain_line(p: Peripherals) -> Option<UartTx<'static, Blocking>> {
    UartTx::new_blocking(p.USART2, p.PA2, usart::Config::default()).ok()
}

/// What only this board has.
pub struct BlackPill {
    led: Output<'static>,
    oled: Oled<I2c<'static, Async, Master>>,
}

impl BlackPill {
    /// Starts the board.
    pub fn start(p: Peripherals) -> Stm32<Self> {
        static SENT: ConstStaticCell<[u8; PIECE]> = ConstStaticCell::new([0; PIECE]);
        static RECEIVED: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        let is_bitten = RCC.csr().read().wdgrstf();
        // Reasons stay until they are cleared.
        RCC.csr().modify(|w| w.set_rmvf(true));
        let config = usart::Config::default();
        let line = BufferedUart::new(p.USART2, p.PA3, p.PA2, SENT.take(), RECEIVED.take(), Irqs, config);
        let line = line.expect("115,200 baud can be had from 50 MHz");
        let mut bus = i2c::Config::default();
        bus.frequency = Hertz(400_000);
        let oled = Oled::new(I2c::new(p.I2C1, p.PB6, p.PB7, p.DMA1_CH6, p.DMA1_CH0, Irqs, bus));
        let led = Output::new(p.PC13, Level::High, Speed::Low);
        let button = ExtiInput::new(p.PA0, p.EXTI0, Pull::Up, Irqs);
        DBGMCU.apb1fzr().modify(|w| w.set_iwdg(true));
        Stm32::start(Self { led, oled }, line, button, p.IWDG, is_bitten)
    }
}

impl Kind for BlackPill {
    const NAME: &'static str = "STM32F411";

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.led.toggle();
        with_timeout(FRAME, self.oled.show(frame)).await.unwrap_or(Err(DisplayError::TimedOut))
    }
}
