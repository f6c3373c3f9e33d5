//! The button and the serial line: what they change and what they ask for.

use super::board::Board;
use super::command::{Command, WORDS};
#[cfg(target_os = "none")]
use super::memory;
use super::press::Press;
use super::say::say;
use super::settings::Settings;
use super::source::Source;
use super::typed::Typed;
use brownian::sound::Sound;
use brownian::{Axis, Model};
use core::fmt;

/// What the demo turns to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Draw what the settings say, from the beginning.
    Draw,
    /// Stop the draw.
    Stop,
}

/// The names of an axis's classes.
struct Names<'m>(Axis<'m>);

impl fmt::Display for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.classes().enumerate().try_for_each(|(index, name)| {
            f.write_str(if index == 0 { "" } else { " " })?;
            f.write_str(name)
        })
    }
}

/// How many classes there are: a number an axis.
struct Counts<'m>(&'m [u16]);

impl fmt::Display for Counts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, rest @ ..] = self.0 else { return f.write_str("0") };
        write!(f, "{first}")?;
        rest.iter().try_for_each(|count| write!(f, "x{count}"))
    }
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
                Press::Long => self.settings.next_class(),
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
            Ok(Command::Sample(sample)) => match self.settings.sample(&sample) {
                Ok(()) => return Some(Turn::Draw),
                Err(refusal) => say(board, format_args!("error: {refusal}")).await,
            },
            Ok(Command::Plans) => {
                for plan in self.source.model().plans() {
                    say(board, format_args!("plan {}: {} steps", plan.name(), plan.len())).await;
                }
            }
            Ok(Command::Classes) => {
                for axis in self.source.model().axes() {
                    say(board, format_args!("axis {}: {}", axis.name(), Names(axis))).await;
                }
                if self.source.model().classes() == 0 {
                    say(board, format_args!("the model has no classes")).await;
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
        let (counts, plans) = (Counts(model.class_counts()), model.plans().count());
        say(board, format_args!("image {height}x{width}x{channels}, {counts} classes, {plans} plans")).await;
        if let Some(Sound { rate, .. }) = Sound::of(model) {
            let silent = if B::SPEAKS { "" } else { ", no speaker" };
            say(board, format_args!("sound of {width} samples, {rate} a second{silent}")).await;
        }
        let (arena, state) = (model.arena_len(), model.state_len() * model.state_element_len());
        say(board, format_args!("memory arena {arena} state {state} of {} bytes free", self.room)).await;
        #[cfg(target_os = "none")]
        say(board, format_args!("stack {} of {} bytes", memory::stack_used(), memory::stack_size())).await;
    }
}
