//! The demo itself.

use super::board::{Board, DisplayError};
use super::controls::{Controls, Turn};
use super::drawing::Drawing;
use super::frame::{Frame, Raster};
use super::memory::Memory;
use super::say::say;
use super::settings::Settings;
use super::source::Source;
use super::speaker;
use crate::report::Line;
use brownian::sound::Sound;
use brownian::{Model, Progress};
use core::fmt::Write;
use heapless::String;

/// The longest sleep of a board that has nothing to do; its watchdog must wait longer.
pub const IDLE_MICROS: u64 = 200_000;
/// What a board sleeps before every step, at least, unless a press or a byte wakes it.
pub const REST_MICROS: u64 = 1_000;

/// Bytes of the classes' names that a display gets; a small board has none with room for more.
const CLASS: usize = if cfg!(feature = "small") { 12 } else { 64 };

/// Draws, listens, and shows what is drawn.
#[derive(Debug)]
pub struct Demo<'m> {
    controls: Controls<'m>,
    source: Source<'m>,
    arena: &'m mut [u8],
    /// Of the model's element, whichever it is.
    state: &'m mut [u8],
    screen: Screen,
    #[cfg(feature = "two-cores")]
    second: Option<brownian::SecondCore<'m>>,
}

/// Whether the display answers, once that is known.
#[derive(Debug, Default)]
struct Screen {
    answers: Option<bool>,
}

impl Screen {
    /// Shows a frame, and says when the display stops or begins to answer.
    async fn show<B: Board>(&mut self, board: &mut B, frame: &Frame<'_, B::Raster>) {
        let shown: Result<(), DisplayError> = board.show(frame).await;
        if self.answers != Some(shown.is_ok()) {
            match shown {
                Ok(()) => say(board, format_args!("display answers")).await,
                Err(why) => say(board, format_args!("display: {why}; going on without")).await,
            }
        }
        self.answers = Some(shown.is_ok());
    }
}

impl<'m> Demo<'m> {
    /// A demo of the source's model, which fits into `memory`: an arena and a state; `room` are the bytes that were
    /// free for them.
    ///
    /// Returns `None` for a model without plans; [`Model::parse`](brownian::Model::parse) accepts none.
    pub fn new(source: Source<'m>, (arena, state): (&'m mut [u8], &'m mut [u8]), room: usize) -> Option<Self> {
        let settings = Settings::first(source.model())?;
        let controls = Controls::new(settings, source, room);
        Some(Self {
            controls,
            source,
            arena,
            state,
            screen: Screen::default(),
            #[cfg(feature = "two-cores")]
            second: None,
        })
    }

    /// Runs the demo of the model in `region`, or of the one that is built in, in `memory`. `restart` says why the board has
    /// started, where that is worth a line.
    ///
    /// # Panics
    /// The memory has no room for the built-in model where the region's is not to be used; `cargo xtask boards` checks it.
    pub async fn start<B: Board>(
        board: &mut B,
        memory: Memory<'_>,
        region: &[u8],
        built_in: &[u8],
        restart: Option<&str>,
    ) -> ! {
        let (mut slot, mut demo) = (None, None);
        Demo::of(board, memory, region, built_in, &mut slot, &mut demo).run(board, restart).await
    }

    /// The demo of [`start`](Self::start), in its place. Not inlined, so that what it needs on the stack is given back.
    #[inline(never)]
    #[cfg_attr(not(feature = "two-cores"), expect(unused_variables, reason = "a second core's"))]
    fn of<'p, B: Board>(
        board: &B,
        memory: Memory<'m>,
        region: &'m [u8],
        built_in: &'m [u8],
        slot: &'m mut Option<Model<'m>>,
        place: &'p mut Option<Self>,
    ) -> &'p mut Self {
        let room = memory.len();
        let source = Source::choose(region, built_in, room, slot).expect("the built-in model fits");
        let model = source.model();
        let parts = memory.divide(model.arena_len(), model.state_len() * model.state_element_len());
        let [arena, state, rest] = parts.expect("checked with the source");
        let demo = Demo::new(source, (arena, state), room).expect("a parsed model has plans");
        #[cfg(feature = "two-cores")]
        let demo = Demo { second: board.second_core().map(|fork| brownian::SecondCore::new(fork, rest)), ..demo };
        place.insert(demo)
    }

    /// Says hello and draws; then does what button and serial line ask for, for ever. `restart` says why the board has
    /// started, where that is worth a line.
    pub async fn run<B: Board>(&mut self, board: &mut B, restart: Option<&str>) -> ! {
        self.controls.info(board).await;
        if let Some(why) = restart {
            say(board, format_args!("restarted by {why}")).await;
        }
        if let Some(fault) = self.source.fault() {
            say(board, format_args!("error: the model region {fault}")).await;
        }
        let (mut turn, mut image) = (Turn::Draw, board.raster());
        loop {
            turn = match turn {
                Turn::Draw => self.draw(board, &mut image).await.unwrap_or(Turn::Stop),
                Turn::Stop => self.idle(board).await,
            };
        }
    }

    /// Waits until there is something to draw.
    async fn idle<B: Board>(&mut self, board: &mut B) -> Turn {
        loop {
            if let Some(turn) = self.controls.attend(board, false).await {
                return turn;
            }
            board.pause(IDLE_MICROS).await;
        }
    }

    /// Draws one image, or as much of it as it is let; returns what to turn to instead.
    async fn draw<B: Board>(&mut self, board: &mut B, image: &mut B::Raster) -> Option<Turn> {
        let Self {
            controls,
            source,
            arena,
            state,
            screen,
            #[cfg(feature = "two-cores")]
            second,
        } = self;
        let (model, settings) = (source.model(), controls.settings);
        say(board, format_args!("draw {settings}")).await;
        let mut class: String<CLASS> = String::new();
        // Names that do not fit would not fit on the display either.
        _ = write!(class, "{}", settings.classes());
        let mut place = None;
        #[cfg(feature = "two-cores")]
        let started = Drawing::start(model, &settings, (arena, state), second.as_ref(), &mut place);
        #[cfg(not(feature = "two-cores"))]
        let started = Drawing::start(model, &settings, (arena, state), &mut place);
        let drawing = match started {
            Ok(drawing) => drawing,
            Err(error) => {
                say(board, format_args!("error: {error}")).await;
                return None;
            }
        };
        let (mut micros, start) = (0, board.micros());
        image.clear();
        loop {
            let (step, steps) = (drawing.steps_done(), settings.plan.len());
            let frame = Frame {
                image,
                seed: settings.seed,
                class: &class,
                plan: settings.plan.name(),
                step,
                steps,
                micros,
                note: source.note(),
            };
            screen.show(board, &frame).await;
            if step == steps {
                let micros = board.micros() - start;
                say(board, format_args!("done {settings}: {} ms", micros / 1000)).await;
                if let Some(sound) = Sound::of(model).filter(|_| B::SPEAKS) {
                    speak(board, drawing, sound).await;
                }
                return None;
            }
            board.pause(REST_MICROS).await;
            let begin = board.micros();
            loop {
                let progress = drawing.advance();
                if matches!(progress, Progress::Stepped | Progress::Done) {
                    break;
                }
                drawing.preview(image);
                if let Some(turn) = controls.attend(board, true).await {
                    if turn == Turn::Stop {
                        say(board, format_args!("cancelled within step {} of {steps}", step + 1)).await;
                    }
                    return Some(turn);
                }
                board.pause(0).await;
            }
            micros = board.micros() - begin;
            let step = drawing.steps_done();
            if step == steps {
                drawing.image(image);
            }
            if controls.digests {
                let line = Line::Step { step: step as u32, digest: drawing.digest(), ticks: micros };
                say(board, format_args!("{line}")).await;
            }
        }
    }
}

/// Plays what is drawn, and says how much of it was heard.
async fn speak<B: Board>(board: &mut B, drawing: &Drawing<'_>, sound: Sound) {
    let mut samples = drawing.samples(sound);
    let all = samples.len();
    board.play(sound.rate, speaker::Sound::new(&mut samples)).await;
    let heard = all - samples.len();
    say(board, format_args!("played {heard} of {all} samples, {} a second", sound.rate)).await;
}

#[cfg(test)]
mod tests;
