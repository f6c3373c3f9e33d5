//! What the demo asks of a board.

use super::frame::{Frame, Raster};
use super::inputs::Listener;
use super::press::Press;
use super::speaker::Sound;
use core::fmt;
use core::future::Future;
use embassy_time::{Instant, Timer};

/// Why a frame is not on the display.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisplayError {
    /// Nothing answers at the display's address, or the bus fails.
    NoAnswer,
    /// The bus is stuck.
    TimedOut,
}

impl fmt::Display for DisplayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoAnswer => "it does not answer",
            Self::TimedOut => "the bus is stuck",
        })
    }
}

/// A board with a clock, a watchdog, a button, a serial line and perhaps a display and a speaker.
#[expect(async_fn_in_trait, reason = "boards run one executor a core; no future of the demo is sent elsewhere")]
pub trait Board {
    /// What it is called, on the serial line.
    const NAME: &'static str;

    /// An image in the form in which its display shows it.
    type Raster: Raster;

    /// What interrupts hand over.
    fn inputs(&mut self) -> &mut Listener;

    /// Microseconds since it started.
    fn micros(&mut self) -> u64 {
        Instant::now().as_micros()
    }

    /// The second core, where there is one.
    #[cfg(feature = "two-cores")]
    fn second_core(&self) -> Option<&'static dyn brownian::Fork> {
        None
    }

    /// Tells the watchdog that all is well; called between the ops of an evaluation and at least every
    /// `IDLE_MICROS` otherwise.
    fn feed_watchdog(&mut self);

    /// The next press of the button, if there was one.
    fn press(&mut self) -> Option<Press> {
        self.inputs().press()
    }

    /// The next byte of the serial line, if there is one.
    fn read(&mut self) -> Option<u8> {
        self.inputs().read()
    }

    /// Sends a line, which ends with a line feed, by the serial line. Where nobody listens it may be lost, and must not wait
    /// for long.
    async fn send(&mut self, line: &str);

    /// Says a line on the serial line, and with the feature `rtt` to a debug probe. It ends with a line feed, or what follows
    /// is sent apart.
    fn write(&mut self, line: &str) -> impl Future<Output = ()> {
        #[cfg(feature = "rtt")]
        crate::rtt::say(line);
        self.send(line)
    }

    /// The memory of an image for the display; asked for once.
    fn raster(&mut self) -> Self::Raster;

    /// Shows a frame.
    ///
    /// # Errors
    /// A display that is not there, or fails; the demo goes on without it and tries again with the next frame.
    async fn show(&mut self, frame: &Frame<'_, Self::Raster>) -> Result<(), DisplayError>;

    /// Whether sounds are played. A board without a speaker has nothing else to do with them.
    const SPEAKS: bool = false;

    /// Plays a sound of so many samples a second. A press or a byte that waits ends it early. Feeds the watchdog meanwhile.
    async fn play(&mut self, rate: u32, sound: Sound<'_>) {
        _ = (rate, sound);
    }

    /// Sleeps so many microseconds, or until a press or a byte comes. With 0 other tasks get their turn, no more.
    async fn pause(&mut self, micros: u64) {
        self.inputs().pause((micros > 0).then(|| Timer::after_micros(micros))).await;
    }
}
