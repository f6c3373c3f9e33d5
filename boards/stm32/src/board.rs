//! A board with an STM32 as the demo sees it.

use crate::kind::{Button, WatchdogTimer};
use crate::lines::{self, INPUTS};
use brownian_board::demo::dither::Dots;
use brownian_board::demo::frame::Frame;
use brownian_board::demo::inputs::Listener;
use brownian_board::demo::{Board, DisplayError};
use embassy_stm32::usart::{BufferedUart, BufferedUartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::Peri;
use embassy_time::{with_timeout, Duration};
use embedded_io_async::Write;

/// Microseconds after which a watchdog that is not fed restarts the board.
const PERIOD: u32 = 4_000_000;
/// Characters that are handed to the UART at once, and the longest that it takes to send them.
pub(crate) const PIECE: usize = 64;
const PIECE_TIME: Duration = Duration::from_millis(10);

/// What boards with an STM32 differ in.
#[expect(async_fn_in_trait, reason = "boards run one executor a core; no future of the demo is sent elsewhere")]
pub trait Kind {
    /// What the board is called.
    const NAME: &'static str;

    /// Shows a frame.
    ///
    /// # Errors
    /// A display that is not there, or fails.
    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError>;
}

/// The board.
pub struct Stm32<K> {
    kind: K,
    uart: BufferedUartTx<'static>,
    watchdog: IndependentWatchdog<'static, WatchdogTimer>,
    inputs: Listener,
    restart: Option<&'static str>,
}

impl<K: Kind> Stm32<K> {
    /// Starts what all have, the watchdog last; `is_bitten` says whether the watchdog has restarted the board.
    pub(crate) fn start(
        kind: K,
        line: BufferedUart<'static>,
        button: Button,
        watchdog: Peri<'static, WatchdogTimer>,
        is_bitten: bool,
    ) -> Self {
        let (uart, received) = line.split();
        let spawner = lines::start();
        // Each is spawned once, so there is room for it.
        lines::button(button).into_iter().for_each(|task| spawner.spawn(task));
        lines::uart(received).into_iter().for_each(|task| spawner.spawn(task));
        let mut watchdog = IndependentWatchdog::new(watchdog, PERIOD);
        watchdog.unleash();
        let restart = is_bitten.then_some("the watchdog");
        Self { kind, uart, watchdog, inputs: Listener::new(&INPUTS), restart }
    }

    /// Why the board has started, unless by power or the reset pin.
    pub fn restart(&self) -> Option<&'static str> {
        self.restart
    }
}

impl<K: Kind> Board for Stm32<K> {
    const NAME: &'static str = K::NAME;

    type Raster = Dots;

    fn feed_watchdog(&mut self) {
        self.watchdog.pet();
    }

    fn inputs(&mut self) -> &mut Listener {
        &mut self.inputs
    }

    async fn send(&mut self, line: &str) {
        // Into an empty buffer: the driver of embassy-stm32 0.6 tells nobody when a full one has room again, and its flush
        // may miss the end.
        for piece in line.as_bytes().chunks(PIECE) {
            // A UART has no errors to send.
            _ = self.uart.write_all(piece).await;
            _ = with_timeout(PIECE_TIME, self.uart.flush()).await;
        }
    }

    fn raster(&mut self) -> Dots {
        Dots::blank()
    }

    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        self.kind.show(frame).await
    }
}
