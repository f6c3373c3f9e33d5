//! The button and the serial line: what they change and what they ask for.

use super::board::Board;
use super::command::{Command, WORDS};
use super::press::Press;
use super::say::say;
use super::settings::Settings;
use super::source::Source;
use super::typed::Typed;
use brownian::Model;

/// What the demo turns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Draw what the settings say, from the beginning.
    Draw,
    /// Stop the draw.
    Stop,
}

/// The settings, and what listens for changes of them.
#[derive(Debug)]
pub(super) struct Controls<'m> {
    pub settings: Settings<'m>,
    /// Whether the digest of every step is told.
    pub digests: bool,
    source: Source<'m>,
    /// Bytes of RAM that a model may have.
    room: usize,
    typed: Typed,
}

impl<'m> Controls<'m> {
    pub fn new(settings: Settings<'m>, source: Source<'m>, room: usize) -> Self {
        Self { settings, digests: true, source, room, typed: Typed::default() }
    }

    /// Feeds the watchdog, takes presses and bytes, answers what can be answered at once, and returns what the demo is
    /// to turn to, if it is.
    pub async fn attend<B: Board>(&mut self, board: &mut B, is_drawing: bool) -> Option<Turn> {
        board.feed_watchdog();
        if let Some(press) = board.press() {
            match press {
                Press::Short => self.settings.next_seed(),
                Press::Long => self.settings.next_class(self.source.model()),
            }
            return Some(Turn::Draw);
        }
        while let Some(byte) = board.read() {
            if let Some(turn) = self.byte(board, byte, is_drawing).await {
                return Some(turn);
            }
            board.feed_watchdog();
        }
        None
    }

    async fn byte<B: Board>(&mut self, board: &mut B, byte: u8, is_drawing: bool) -> Option<Turn> {
        let line = match self.typed.byte(byte) {
            Ok(line) => line?,
            Err(error) => {
                say(board, format_args!("error: {error}")).await;
                return None;
            }
        };
        match Command::parse(line) {
            Err(error) => say(board, format_args!("error: {error}")).await,
            Ok(Command::Sample(sample)) => match self.settings.sample(&sample, self.source.model()) {
                Ok(()) => return Some(Turn::Draw),
                Err(refusal) => say(board, format_args!("error: {refusal}")).await,
            },
            Ok(Command::Plans) => {
                for plan in self.source.model().plans() {
                    say(board, format_args!("plan {}: {} steps", plan.name(), plan.len())).await;
                }
            }
            Ok(Command::Info) => self.info(board).await,
            Ok(Command::Digest(on)) => {
                self.digests = on;
                say(board, format_args!("digests are {}", if on { "on" } else { "off" })).await;
            }
            Ok(Command::Cancel) if is_drawing => return Some(Turn::Stop),
            Ok(Command::Cancel) => say(board, format_args!("nothing is being drawn")).await,
            Ok(Command::Help) => say(board, format_args!("{WORDS}")).await,
            #[cfg(feature = "hang")]
            Ok(Command::Hang) => {
                say(board, format_args!("hangs")).await;
                loop {
                    core::hint::spin_loop();
                }
            }
        }
        None
    }

    /// Tells about board, model and memory.
    pub async fn info<B: Board>(&self, board: &mut B) {
        let model: &Model = self.source.model();
        let [height, width, channels] = model.shape();
        say(board, format_args!("brownian on {}", B::NAME)).await;
        say(board, format_args!("model {}, checksum {:08x}", self.source, model.checksum())).await;
        let (classes, plans) = (model.classes(), model.plans().count());
        let shape = format_args!("image {height}x{width}x{channels}, {classes} classes, {plans} plans");
        say(board, shape).await;
        let (arena, state) = (model.arena_len(), 4 * model.state_len());
        say(board, format_args!("memory arena {arena} state {state} of {} bytes free", self.room)).await;
        if let Some((used, size)) = board.stack() {
            say(board, format_args!("stack {used} of {size} bytes")).await;
        }
    }
}
