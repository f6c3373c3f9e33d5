//! The Nucleo-H743ZI:
//!
//! | pin | what |
//! |---|---|
//! | PD8, PD9 | UART out and in, 115,200 baud: the serial port of the board's debugger |
//! | PB8, PB9 | SSD1306: SCL and SDA |
//! | PC13 | button B1, high while it is down |
//! | PB0 | LED LD1 |

use crate::board::{Kind, Stm32, PIECE};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::press::ActiveHigh;
use brownian_board::demo::DisplayError;
use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::gpio::{Level, Output, Pull, Speed};
use embassy_stm32::i2c::{self, I2c, Master};
use embassy_stm32::mode::{Async, Blocking};
use embassy_stm32::pac::{DBGMCU, RCC};
use embassy_stm32::peripherals::{IWDG1, USART3};
use embassy_stm32::rcc::{
    AHBPrescaler, APBPrescaler, HSIPrescaler, Pll, PllDiv, PllMul, PllPreDiv, PllSource, Sysclk, VoltageScale,
};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart, UartTx};
use embassy_stm32::{bind_interrupts, interrupt, Config, Peripherals};
use embassy_time::Duration;
use static_cell::ConstStaticCell;

/// A piece of a frame takes a millisecond at 400 kHz; a bus that takes much longer is stuck.
const BUS: Duration = Duration::from_millis(20);

pub(crate) type Button = ActiveHigh<ExtiInput<'static, Async>>;
pub(crate) type WatchdogTimer = IWDG1;

bind_interrupts!(struct Irqs {
    USART3 => usart::BufferedInterruptHandler<USART3>;
    EXTI15_10 => exti::InterruptHandler<interrupt::typelevel::EXTI15_10>;
});

/// 400 MHz, which every revision of the chip reaches, from the oscillator that is on it.
pub fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = Some(HSIPrescaler::DIV1);
    config.rcc.pll1 = Some(Pll {
        source: PllSource::HSI,
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL50,
        fracn: None,
        divp: Some(PllDiv::DIV2),
        divq: None,
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.ahb_pre = AHBPrescaler::DIV2;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config.rcc.apb2_pre = APBPrescaler::DIV2;
    config.rcc.apb3_pre = APBPrescaler::DIV2;
    config.rcc.apb4_pre = APBPrescaler::DIV2;
    config.rcc.voltage_scale = VoltageScale::Scale1;
    config
}

/// Switches on both caches. Nothing here uses DMA, so that memory and caches never differ for anybody.
fn caches() {
    /// Of the RAM's port at the bus matrix: how many accesses may be under way (RM0433, `AXI_TARG7_FN_MOD`).
    const READ_ISSUING: *mut u32 = 0x5100_8108 as *mut u32;
    /// The revision of chips from which on they may be several.
    const REVISION_X: u16 = 0x2001;
    if DBGMCU.idc().read().rev_id() < REVISION_X {
        // SAFETY: a register of the chip. With several reads under way older chips may read wrong bytes (ES0392, "Reading
        // from AXI SRAM may lead to data read corruption").
        unsafe { READ_ISSUING.write_volatile(1) };
    }
    // SAFETY: nothing else runs yet.
    let mut core = unsafe { cortex_m::Peripherals::steal() };
    core.SCB.enable_icache();
    core.SCB.enable_dcache(&mut core.CPUID);
}

/// The UART for last words.
pub(crate) fn plain_line(p: Peripherals) -> Option<UartTx<'static, Blocking>> {
    UartTx::new_blocking(p.USART3, p.PD8, usart::Config::default()).ok()
}

/// What only this board has.
pub struct Nucleo {
    led: Output<'static>,
    oled: Oled<BlockingAsync<I2c<'static, Blocking, Master>>>,
}

impl Nucleo {
    /// Starts the board.
    pub fn start(p: Peripherals) -> Stm32<Self> {
        static SENT: ConstStaticCell<[u8; PIECE]> = ConstStaticCell::new([0; PIECE]);
        static RECEIVED: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        caches();
        let is_bitten = RCC.rsr().read().iwdg1rstf();
        // Reasons stay until they are cleared.
        RCC.rsr().modify(|w| w.set_rmvf(true));
        let config = usart::Config::default();
        let line = BufferedUart::new(p.USART3, p.PD9, p.PD8, SENT.take(), RECEIVED.take(), Irqs, config);
        let line = line.expect("115,200 baud can be had from 100 MHz");
        let mut bus = i2c::Config::default();
        bus.frequency = Hertz(400_000);
        bus.timeout = BUS;
        let oled = Oled::new(BlockingAsync::new(I2c::new_blocking(p.I2C1, p.PB8, p.PB9, bus)));
        let led = Output::new(p.PB0, Level::High, Speed::Low);
        let button = ActiveHigh(ExtiInput::new(p.PC13, p.EXTI13, Pull::Down, Irqs));
        DBGMCU.apb4fzr1().modify(|w| w.set_iwdg1(true));
        Stm32::start(Self { led, oled }, line, button, p.IWDG1, is_bitten)
    }
}

impl Kind for Nucleo {
    const NAME: &'static str = "Nucleo-H743ZI";

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.led.toggle();
        self.oled.show(frame).await
    }
}
