//! A board with an nRF51 or nRF52 as the demo sees it.

use crate::chip::{Button, Uart, UartTx};
use crate::lines::{self, INPUTS};
use brownian_board::demo::dither::Dots;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::leds;
use brownian_board::demo::speaker::Sound;
use brownian_board::demo::{Board, DisplayError};
use embassy_executor::SendSpawner;
use embassy_nrf::pac::POWER;
use embassy_nrf::peripherals::WDT;
use embassy_nrf::wdt::{Config, HaltConfig, Watchdog, WatchdogHandle};
use embassy_nrf::Peri;

/// Ticks of 32,768 Hz after which a watchdog that is not fed restarts the board: 4 s.
const PERIOD: u32 = 4 * 32_768;

/// What the boards differ in.
#[expect(async_fn_in_trait, reason = "boards run one executor a core; no future of the demo is sent elsewhere")]
pub trait Kind {
    /// What the board is called.
    const NAME: &'static str;
    /// Whether the serial line gets the picture, too, once it is done.
    const PRINTS: bool = false;

    /// Shows a frame.
    ///
    /// # Errors
    /// A display that is not there, or fails.
    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError>;

    /// Whether sounds are played.
    const SPEAKS: bool = false;

    /// Plays a sound of so many samples a second, and asks before every block whether it goes on.
    async fn play(&mut self, rate: u32, sound: Sound<'_>, goes_on: impl FnMut() -> bool) {
        _ = (rate, sound, goes_on);
    }
}

/// The board.
pub struct Nrf<K> {
    kind: K,
    uart: UartTx<'static>,
    watchdog: WatchdogHandle,
    inputs: Listener,
    restart: Option<&'static str>,
}

impl<K: Kind> Nrf<K> {
    /// Starts what all have, the watchdog last.
    pub fn start(
        kind: K,
        spawner: SendSpawner,
        line: Uart<'static>,
        button: Button,
        watchdog: Peri<'static, WDT>,
    ) -> Self {
        // Reasons stay until they are cleared, by writing them back.
        let reasons = POWER.resetreas().read();
        POWER.resetreas().write_value(reasons);
        let restart = reasons.dog().then_some("the watchdog");
        let (uart, received) = line.split();
        // Each is spawned once, so there is room for it.
        lines::button(button).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        let mut config = Config::default();
        config.timeout_ticks = PERIOD;
        config.action_during_debug_halt = HaltConfig::Pause;
        // One that runs already, as a boot loader leaves it, keeps its period.
        let config = Config::try_new(&watchdog).unwrap_or(config);
        let Ok((_, [watchdog])) = Watchdog::try_new(watchdog, config) else {
            panic!("a boot loader has started the watchdog with several handles");
        };
        Self { kind, uart, watchdog, inputs: Listener::new(&INPUTS), restart }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.restart
    }
}

impl<K: Kind> Board for Nrf<K> {
    const NAME: &'static str = K::NAME;

    type Raster = Dots;

    fn feed_watchdog(&mut self) {
        self.watchdog.pet();
    }

    fn inputs(&mut self) -> &mut Listener {
        &mut self.inputs
    }

    async fn send(&mut self, line: &str) {
        // Fails for lines that are longer than any.
        _ = self.uart.write(line.as_bytes()).await;
    }

    fn raster(&mut self) -> Dots {
        Dots::blank()
    }

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        if K::PRINTS && frame.step == frame.steps {
            for line in leds::lines(frame.image) {
                self.write(&line).await;
                self.send("\r\n").await;
            }
        }
        self.kind.show(frame).await
    }

    const SPEAKS: bool = K::SPEAKS;

    async fn play(&mut self, rate: u32, sound: Sound<'_>) {
        let Self { kind, watchdog, inputs, .. } = self;
        let goes_on = || {
            watchdog.pet();
            !inputs.is_waiting()
        };
        kind.play(rate, sound, goes_on).await;
    }
}
