extern crate std;
use super::*;
use crate::demo::dither::Dots;
use crate::demo::frame::Note;
use crate::demo::inputs::Listener;
use crate::demo::press::Press;
use crate::demo::source;
use brownian::host::{self, ChainMemory, OwnedModel};
use brownian::{include_model, with_state_element, Model, Sampler};
use core::cell::RefCell;
use core::future::{pending, Future};
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::collections::VecDeque;
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

static NANO: &[u8] = include_model!("../../../../../models/digits28-nano.brn");

/// What happens to the board, once `after` has been said.
struct Event {
    after: String,
    what: What,
}

#[derive(Clone)]
enum What {
    Type(Vec<u8>),
    Press(Press),
    Unplug,
    Plug,
}

#[derive(Default)]
struct Log {
    said: String,
    /// Of every frame shown: step, dots.
    frames: Vec<(usize, Dots)>,
    /// What each of them was to say besides.
    notes: Vec<Note>,
    feeds: usize,
    /// Microseconds of every sleep but those of a board that is idle, and the frames shown before it.
    rests: Vec<(u64, usize)>,
    /// Sounds that were played: samples a second, and left and right.
    heard: Vec<(u32, Vec<i16>)>,
}

/// A board that follows a script and stops when it is idle at the script's end.
struct Fake<'a> {
    events: VecDeque<Event>,
    typed: VecDeque<u8>,
    presses: VecDeque<Press>,
    plugged: bool,
    micros: u64,
    log: &'a RefCell<Log>,
}

impl Board for Fake<'_> {
    const NAME: &'static str = "a fake";
    const SPEAKS: bool = true;
    type Raster = Dots;

    fn inputs(&mut self) -> &mut Listener {
        unreachable!("a script hands over presses and bytes");
    }
    fn micros(&mut self) -> u64 {
        self.micros += 10;
        self.micros
    }
    fn feed_watchdog(&mut self) {
        self.log.borrow_mut().feeds += 1;
    }
    fn press(&mut self) -> Option<Press> {
        let said = self.log.borrow().said.len();
        let due = self.events.front().is_some_and(|e| self.log.borrow().said[..said].contains(&e.after));
        if due {
            match self.events.pop_front().unwrap().what {
                What::Type(bytes) => self.typed.extend(bytes),
                What::Press(press) => self.presses.push_back(press),
                What::Unplug => self.plugged = false,
                What::Plug => self.plugged = true,
            }
        }
        self.presses.pop_front()
    }
    fn read(&mut self) -> Option<u8> {
        self.typed.pop_front()
    }
    async fn send(&mut self, line: &str) {
        self.log.borrow_mut().said += line;
    }
    fn raster(&mut self) -> Dots {
        Dots::blank()
    }
    async fn show(&mut self, frame: &Frame<'_>) -> Result<(), DisplayError> {
        if !self.plugged {
            return Err(DisplayError::NoAnswer);
        }
        let mut log = self.log.borrow_mut();
        log.frames.push((frame.step, frame.image.clone()));
        log.notes.push(frame.note);
        Ok(())
    }
    /// A press that is due ends a sound after its first block.
    async fn play(&mut self, rate: u32, mut sound: speaker::Sound<'_>) {
        let (mut block, mut heard) = ([0; speaker::VALUES], Vec::new());
        let due = self.press();
        self.presses.extend(due);
        while sound.fill(&mut block) {
            heard.extend_from_slice(&block);
            if due.is_some() {
                break;
            }
        }
        self.log.borrow_mut().heard.push((rate, heard));
    }
    async fn pause(&mut self, micros: u64) {
        self.micros += micros;
        if (1..IDLE_MICROS).contains(&micros) {
            let frames = self.log.borrow().frames.len();
            self.log.borrow_mut().rests.push((micros, frames));
        }
        if micros == IDLE_MICROS && self.events.is_empty() && self.typed.is_empty() {
            pending::<()>().await;
        }
    }
}

/// What a board does that lives through `script`: (what has been said, what happens then).
fn live(script: &[(&str, What)]) -> Log {
    live_with(NANO, script)
}

/// The same with another model built in.
fn live_with(file: &[u8], script: &[(&str, What)]) -> Log {
    live_beside(&[], file, script)
}

/// The same with something in the model region.
fn live_beside(region: &[u8], file: &[u8], script: &[(&str, What)]) -> Log {
    let log = RefCell::new(Log::default());
    let events = script.iter().map(|(after, what)| Event { after: after.to_string(), what: what.clone() }).collect();
    let mut board =
        Fake { events, typed: VecDeque::new(), presses: VecDeque::new(), plugged: true, micros: 0, log: &log };
    let room = source::ram(file) + 16;
    let mut bytes = vec![0; room + 16];
    {
        let demo = Demo::start(&mut board, Memory::new(&mut bytes), region, file, None);
        let mut demo = pin!(demo);
        // Nothing that the fake awaits is pending but the script's end.
        assert!(matches!(demo.as_mut().poll(&mut Context::from_waker(Waker::noop())), Poll::Pending));
    }
    assert!(board.events.is_empty(), "nobody has said '{}':\n{}", board.events[0].after, log.borrow().said);
    log.into_inner()
}

/// The step lines that the chain itself says.
fn chain(seed: u64, class: u16, plan: &str) -> Vec<String> {
    drawn(&OwnedModel::new(NANO).unwrap(), seed, class, plan).0
}

/// The same of any model, and its sample.
fn drawn(file: &OwnedModel, seed: u64, class: u16, plan: &str) -> (Vec<String>, Vec<f32>) {
    let (model, plan) = (file.model(), file.plan(plan).unwrap());
    let mut memory = ChainMemory::new(&model);
    with_state_element!(&model, Element => {
        let chain = Sampler::builder(&model, plan).seed(seed).class(class);
        let mut sampler = memory.start::<Element>(chain).unwrap();
        let mut lines = Vec::new();
        while sampler.step() {
            lines.push(format!("step {} digest {:08x}", sampler.steps_done(), sampler.digest()));
        }
        (lines, sampler.values().collect())
    })
}

/// The step lines without their times.
fn steps(said: &str) -> Vec<String> {
    let lines = said.lines().filter(|line| matches!(Line::parse(line), Some(Line::Step { .. })));
    lines.map(|line| line.split(" ticks").next().unwrap().to_string()).collect()
}

fn typed(text: &str) -> What {
    What::Type(text.as_bytes().to_vec())
}

/// The lines that complain.
fn errors(log: &Log) -> Vec<&str> {
    log.said.lines().filter(|line| line.starts_with("error: ")).collect()
}

/// It draws after power-up, tells every step, shows one frame before and one after each, and feeds the watchdog after
/// every op.
#[test]
fn it_draws_after_power_up() {
    let log = live(&[]);
    assert_eq!(steps(&log.said), chain(1, 0, "fast5"));
    assert!(log.said.contains("draw seed=1 class=0 plan=fast5\r\n"), "{}", log.said);
    assert!(log.said.contains("done seed=1 class=0 plan=fast5: "), "{}", log.said);
    assert_eq!(log.frames.iter().map(|(step, _)| *step).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let ops = Model::parse(NANO).unwrap().ops().count();
    assert!(log.feeds >= 5 * ops, "{} feeds, {ops} ops", log.feeds);
    // The last frame is the sample; previews come before.
    assert!(log.frames[1..].iter().all(|(_, dots)| dots.light().count() > 20));
}

/// It sleeps before every step, after the frame that shows the step before; that is no part of the step's time.
#[test]
fn it_sleeps_between_steps() {
    let log = live(&[]);
    assert_eq!(log.rests, [1, 2, 3, 4, 5].map(|frames| (REST_MICROS, frames)));
    for line in log.said.lines().filter(|line| line.starts_with("step ")) {
        assert!(matches!(Line::parse(line), Some(Line::Step { ticks: 10, .. })), "{line}");
    }
}

/// What is wrong with the model region is said on the display with every frame, and on the serial line once; an empty one
/// on the display alone, beside the line of the model.
#[test]
fn the_model_region_is_said_on_display_and_line() {
    let changed = |at: usize| {
        let mut words = vec![0u128; NANO.len().div_ceil(16)];
        let bytes: &mut [u8] = bytemuck::cast_slice_mut(&mut words);
        bytes[..NANO.len()].copy_from_slice(NANO);
        bytes[at] ^= 0x40;
        words
    };
    let erased = vec![u128::MAX; 64];
    for (region, note, words) in [
        (erased, Note::BuiltIn, None),
        (changed(4), Note::BadFormat, Some("version")),
        (changed(1000), Note::BadModel, Some("checksum")),
    ] {
        let region = &bytemuck::cast_slice(&region)[..NANO.len().min(16 * region.len())];
        let log = live_beside(region, NANO, &[]);
        assert_eq!(log.notes, [note; 6]);
        assert_eq!(steps(&log.said), chain(1, 0, "fast5"), "the built-in model draws");
        let found = errors(&log);
        match words {
            None => assert!(found.is_empty() && log.said.contains("model built in, checksum"), "{}", log.said),
            Some(words) => {
                assert!(matches!(found[..], [error] if error.to_lowercase().contains(words)), "{words}: {found:?}");
            }
        }
    }
    assert_eq!(live_beside(NANO, NANO, &[]).notes, [Note::None; 6]);
}

/// States of every kind are drawn; a sample of bits is shown bit by bit, nothing dithered.
#[test]
fn states_of_every_kind_are_drawn() {
    let half = host::with_state(NANO, brownian::StateKind::F16).unwrap();
    let bits = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/models/bits.brn")).unwrap();
    for file in [OwnedModel::new(&half).unwrap(), bits] {
        let model = file.model();
        let log = live_with(file.bytes(), &[]);
        let words = log.said.lines().find_map(|line| line.strip_prefix("draw ")).unwrap();
        let (lines, values) = drawn(&file, 1, 0, words.split("plan=").nth(1).unwrap());
        assert_eq!(steps(&log.said), lines);
        let (_, dots) = log.frames.last().unwrap();
        assert_eq!(*dots, Dots::of_image(values.iter().copied(), model.shape()));
        if model.state_kind() == brownian::StateKind::Bits {
            let [height, width, _] = model.shape();
            let ones = values.iter().filter(|value| **value == 1.0).count();
            assert_eq!(dots.light().count(), ones * (dots.width() / width) * (dots.height() / height));
        }
    }
}

/// A press draws the next seed, a long one the next class; pressed within a chain they drop it.
#[test]
fn presses_draw_the_next() {
    let log = live(&[
        ("done seed=1", What::Press(Press::Short)),
        ("done seed=2", What::Press(Press::Long)),
        ("seed=2 class=1 plan=fast5\r\nstep 1", What::Press(Press::Short)),
    ]);
    let parts = [chain(1, 0, "fast5"), chain(2, 0, "fast5"), chain(2, 1, "fast5")[..1].to_vec(), chain(3, 1, "fast5")];
    assert_eq!(steps(&log.said), parts.concat());
}

/// After the last class comes the first.
#[test]
fn classes_go_round() {
    let log = live(&[("done seed=1", typed("sample class=9\n")), ("done seed=1 class=9", What::Press(Press::Long))]);
    assert!(log.said.ends_with("ms\r\n") && log.said.contains("done seed=1 class=0 plan=fast5: "), "{}", log.said);
    assert_eq!(steps(&log.said)[10..], chain(1, 0, "fast5"));
}

/// `sample` draws what it says and keeps what it does not say; `class=none` draws without a class.
#[test]
fn sample_draws_what_it_says() {
    let log = live(&[
        ("done seed=1", typed("sample seed=7 class=3 plan=fast10\r\n")),
        ("done seed=7", typed("sample class=none plan=fast5\n")),
    ]);
    assert_eq!(steps(&log.said)[5..15], chain(7, 3, "fast10"));
    assert!(log.said.contains("draw seed=7 class=none plan=fast5"), "{}", log.said);
    assert_ne!(steps(&log.said)[15..], chain(7, 3, "fast5"));
}

/// `cancel` stops within an evaluation; the board is idle then, and says so when it is asked again.
#[test]
fn cancel_stops_a_chain() {
    let log = live(&[("step 2", typed("cancel\ncancel\n"))]);
    assert_eq!(steps(&log.said), chain(1, 0, "fast5")[..2]);
    assert!(log.said.ends_with("cancelled within step 3 of 5\r\nnothing is being drawn\r\n"), "{}", log.said);
}

/// Words that only tell do not disturb the chain.
#[test]
fn questions_are_answered_within_a_chain() {
    let log = live(&[("step 1", typed("plans\nclasses\ninfo\nhelp\ndigest off\n"))]);
    assert_eq!(steps(&log.said), chain(1, 0, "fast5")[..1]);
    for words in [
        "plan fast5: 5 steps",
        "axis class: 0 1 2 3 4 5 6 7 8 9",
        "brownian on a fake",
        "image 28x28x1, 10 classes",
        "sample [seed=N]",
        "done seed=1",
    ] {
        assert!(log.said.contains(words), "{words}: {}", log.said);
    }
}

/// Garbage, 10,000 characters, half a command, an unknown plan or class: one line each, and the chain goes on.
#[test]
fn bad_lines_are_one_error_each() {
    for (line, words) in [
        (&[b'x'; 10_000][..], "at most 80 characters"),
        (&[0xff, 0x00, 0xfe, 0x80], "printable"),
        (b"sample se", "'se'"),
        (b"sample plan=fast5000", "no plan 'fast5000'"),
        (b"sample class=10", "no class '10': classes names"),
        (b"sample class=seven", "no class 'seven'"),
        (b"sample seed=1 class=2 plan=x", "no plan 'x'"),
        (b"draw", "no word 'draw'"),
    ] {
        let log = live(&[("step 1", What::Type([line, b"\n"].concat()))]);
        assert!(matches!(errors(&log)[..], [error] if error.contains(words)), "{words}: {:?}", errors(&log));
        assert_eq!(steps(&log.said), chain(1, 0, "fast5"), "the chain goes on");
    }
}

/// A display that is unplugged is reported once, the chain goes on; plugged in again, it shows what comes.
#[test]
fn a_display_may_come_and_go() {
    let log = live(&[("step 1", What::Unplug), ("step 3", What::Plug)]);
    assert_eq!(steps(&log.said), chain(1, 0, "fast5"));
    assert_eq!(log.said.matches("display: it does not answer; going on without").count(), 1, "{}", log.said);
    assert_eq!(log.said.matches("display answers").count(), 2, "{}", log.said);
    assert_eq!(log.frames.last().unwrap().0, 5);
}

/// It says what it is before it draws.
#[test]
fn hello_says_what_it_runs_on() {
    let said = live(&[]).said;
    let lines: Vec<&str> = said.lines().take(3).collect();
    let model = Model::parse(NANO).unwrap();
    let (checksum, plans) = (model.checksum(), model.plans().count());
    let expected = [
        "brownian on a fake".to_string(),
        format!("model built in, checksum {checksum:08x}"),
        format!("image 28x28x1, 10 classes, {plans} plans"),
    ];
    assert_eq!(lines, expected);
}

/// What a model of sound draws is played at its rate and level, both sides alike, and silence behind it; the display shows its
/// wave. A picture is not played.
#[test]
fn a_sound_is_played() {
    let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/models/sound.brn")).unwrap();
    let log = live_with(file.bytes(), &[("done seed=1 class=0+george", What::Press(Press::Long))]);
    assert_eq!(steps(&log.said).len(), 2 * 5);
    assert!(log.said.contains("sound of 1024 samples, 8000 a second\r\n"), "{}", log.said);
    let played = |count| format!("played {count} of 1024 samples, 8000 a second\r\n");
    assert!(log.said.contains(&played(speaker::BLOCK)) && log.said.ends_with(&played(1024)), "{}", log.said);
    let [(_, ended), (rate, whole)] = &log.heard[..] else { panic!("{} sounds", log.heard.len()) };
    assert_eq!((*rate, ended.len(), whole.len()), (8000, speaker::VALUES, 2 * 1024 + 2 * speaker::VALUES));
    assert!(whole.chunks(2).all(|sides| sides[0] == sides[1]) && whole[2 * 1024..].iter().all(|value| *value == 0));
    // The host's samples.
    let model = file.model();
    let classes = host::Classes::named("1+george", &model).unwrap();
    let condition = classes.condition(0, model.class_counts(), brownian::Guidance::PLAIN);
    let mut memory = ChainMemory::new(&model);
    let chain = Sampler::builder(&model, file.plan("fast5").unwrap()).seed(1).condition(condition);
    let mut sampler = memory.start::<brownian::f16>(chain).unwrap();
    while sampler.step() {}
    let gain = Sound::of(&model).unwrap().gain(sampler.values());
    assert!(sampler
        .values()
        .map(|value| brownian::sound::sample(value, gain))
        .eq(whole[..2 * 1024].iter().step_by(2).copied()));
    let power = whole.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>() / 2048.0;
    assert!((power.sqrt() / 32_767.0 - 0.15).abs() < 0.01, "{}", power.sqrt());
    let (_, dots) = log.frames.last().unwrap();
    assert_eq!(*dots, Dots::of_image(sampler.values(), [1, 1024, 1]));
    let pictures = live(&[]);
    assert!(pictures.heard.is_empty() && !pictures.said.contains("played") && !pictures.said.contains("sound of"));
}
