//! The board as the demo sees it.

use crate::lines::{self, INPUTS};
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::oled::Oled;
use brownian_board::demo::press::Press;
use brownian_board::demo::{memory, Board, DisplayError};
use embassy_embedded_hal::adapter::BlockingAsync;
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::gpio::{Level, Output, Pull, Speed};
use embassy_stm32::i2c::{self, I2c, Master};
use embassy_stm32::mode::Blocking;
use embassy_stm32::pac::{DBGMCU, RCC};
use embassy_stm32::peripherals::{IWDG1, USART3};
use embassy_stm32::rcc::{
    AHBPrescaler, APBPrescaler, HSIPrescaler, Pll, PllDiv, PllMul, PllPreDiv, PllSource, Sysclk, VoltageScale,
};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedUart, BufferedUartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{bind_interrupts, interrupt, Config, Peripherals};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_time::{with_timeout, Duration, Instant, Timer};
use embedded_io_async::Write;
use static_cell::ConstStaticCell;

/// Microseconds after which a watchdog that is not fed restarts the board.
const PERIOD: u32 = 4_000_000;
/// A piece of a frame takes a millisecond at 400 kHz; a bus that takes much longer is stuck.
const BUS: Duration = Duration::from_millis(20);
/// Characters that are handed to the UART at once, and the longest that it takes to send them.
const PIECE: usize = 64;
const PIECE_TIME: Duration = Duration::from_millis(10);

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
pub fn caches() {
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

/// The board.
pub struct Nucleo {
    led: Output<'static>,
    oled: Oled<BlockingAsync<I2c<'static, Blocking, Master>>>,
    uart: BufferedUartTx<'static>,
    watchdog: IndependentWatchdog<'static, IWDG1>,
    inputs: Listener<CriticalSectionRawMutex>,
    restart: Option<&'static str>,
}

impl Nucleo {
    /// Starts everything, the watchdog last.
    pub fn start(p: Peripherals) -> Self {
        static SENT: ConstStaticCell<[u8; PIECE]> = ConstStaticCell::new([0; PIECE]);
        static RECEIVED: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
        caches();
        let restart = RCC.rsr().read().iwdg1rstf().then_some("the watchdog");
        // Reasons stay until they are cleared.
        RCC.rsr().modify(|w| w.set_rmvf(true));
        let config = usart::Config::default();
        let line = BufferedUart::new(p.USART3, p.PD9, p.PD8, SENT.take(), RECEIVED.take(), Irqs, config);
        let (uart, received) = line.expect("115,200 baud can be had from 100 MHz").split();
        let mut bus = i2c::Config::default();
        bus.frequency = Hertz(400_000);
        bus.timeout = BUS;
        let oled = Oled::new(BlockingAsync::new(I2c::new_blocking(p.I2C1, p.PB8, p.PB9, bus)));
        let spawner = lines::start();
        // Each is spawned once, so there is room for it.
        let button = ExtiInput::new(p.PC13, p.EXTI13, Pull::Down, Irqs);
        lines::button(button).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        DBGMCU.apb4fzr1().modify(|w| w.set_iwdg1(true));
        let mut watchdog = IndependentWatchdog::new(p.IWDG1, PERIOD);
        watchdog.unleash();
        let led = Output::new(p.PB0, Level::High, Speed::Low);
        Self { led, oled, uart, watchdog, inputs: Listener::new(&INPUTS), restart }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.restart
    }
}

impl Board for Nucleo {
    const NAME: &'static str = "Nucleo-H743ZI";

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
        self.oled.show(frame).await
    }

    async fn pause(&mut self, micros: u64) {
        self.inputs.pause((micros > 0).then(|| Timer::after_micros(micros))).await;
    }
}
