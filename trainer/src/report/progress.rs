//! Progress on standard error: a bar in a terminal, a line every ten seconds elsewhere.
use super::note::note;
use crate::data::{self, Opened, Options, Reading, Unit};
use crate::train::{Event, Progress};
use crate::Result;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use std::sync::mpsc::{channel, RecvTimeoutError, Sender};
use std::sync::Mutex;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Time between two lines where standard error is no terminal.
const EVERY: Duration = Duration::from_secs(10);
/// Resolution of a training's bar.
const UNITS: u64 = 10_000;

/// A bar that counts.
#[derive(Debug)]
pub struct Bar {
    bar: ProgressBar,
    /// What is done of how much, in words.
    words: fn(u64, u64) -> String,
    /// When the next line is due.
    next: Mutex<Instant>,
}

impl Bar {
    fn new(len: u64, template: &str, words: fn(u64, u64) -> String) -> Self {
        let bar = ProgressBar::new(len);
        let bar = ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style));
        Self { bar, words, next: Mutex::new(Instant::now() + EVERY) }
    }

    /// Counts `more`.
    pub fn inc(&self, more: u64) {
        self.bar.inc(more);
        self.tell(|| self.count());
    }

    /// Sets how far it counts.
    pub fn set_length(&self, len: u64) {
        self.bar.set_length(len);
    }

    /// Sets what is done.
    pub fn set_position(&self, position: u64) {
        self.bar.set_position(position);
        self.tell(|| self.count());
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| note(line));
    }

    /// Ends the bar, of which nothing stays.
    pub fn finish_and_clear(&self) {
        self.bar.finish_and_clear();
    }

    fn count(&self) -> String {
        (self.words)(self.bar.position(), self.bar.length().unwrap_or_default())
    }

    /// Prints a line where there is no terminal and one is due.
    fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(line) = self.due(Instant::now(), line) {
            note(line);
        }
    }

    /// The line, where there is no terminal and one is due at `now`; the next is due [`EVERY`] later.
    fn due(&self, now: Instant, line: impl FnOnce() -> String) -> Option<String> {
        if !self.bar.is_hidden() {
            return None;
        }
        let mut next = self.next.try_lock().ok()?;
        (now >= *next).then(|| {
            *next = now + EVERY;
            line()
        })
    }
}

/// A bar that counts images.
pub fn image_bar(count: usize) -> Bar {
    let words = |done: u64, of: u64| format!("{done} of {of}");
    Bar::new(count as u64, "{bar:24} {pos}/{len} images  {per_sec}  ETA {eta}", words)
}

/// Bars of the reading of data, which end when it is dropped.
#[derive(Debug)]
struct DataBar {
    samples: Bar,
    bytes: Bar,
}

impl Default for DataBar {
    /// Bars that show nothing yet.
    fn default() -> Self {
        let words = |done: u64, of: u64| format!("read {} of {}", HumanBytes(done), HumanBytes(of));
        let bytes = Bar::new(0, "{bar:24} read {bytes}/{total_bytes}  {bytes_per_sec}  ETA {eta}", words);
        Self { samples: image_bar(0), bytes }
    }
}

impl DataBar {
    /// Shows how much is read, as [`Reading::progress`] hears of it.
    fn show(&self, unit: Unit, done: u64, of: u64) {
        let bar = match unit {
            Unit::Samples => &self.samples,
            Unit::Bytes => &self.bytes,
        };
        bar.set_length(of);
        bar.set_position(done);
    }
}

impl Drop for DataBar {
    fn drop(&mut self) {
        self.samples.finish_and_clear();
        self.bytes.finish_and_clear();
    }
}

/// What `source` names, read with the usual cache and bars.
///
/// # Errors
/// As [`data::open`].
pub fn opened(source: &str, options: &Options) -> Result<Opened> {
    let bars = DataBar::default();
    data::open(source, &Reading::new(options, &|unit, done, of| bars.show(unit, done, of)))
}

/// A bar of a training run: step, smoothed loss, samples a second and the time left.
#[derive(Debug)]
pub struct TrainingBar {
    bar: Bar,
    start: Instant,
    /// Steps and part of the run that were done at the start.
    first: (u64, f64),
    batch: usize,
    loss: f32,
    count: u32,
}

impl TrainingBar {
    /// A bar for a run that has made `step` steps and takes `batch` images a step.
    pub fn new(step: u64, done: f64, batch: usize) -> Self {
        // Its lines are its messages.
        let bar = Bar::new(UNITS, "{bar:24} {msg}", |_, _| String::new());
        bar.bar.set_position((done * UNITS as f64) as u64);
        Self { bar, start: Instant::now(), first: (step, done), batch, loss: 0.0, count: 0 }
    }

    /// Shows a step.
    pub fn show(&mut self, progress: &Progress) {
        let message = self.message(progress, self.start.elapsed().as_secs_f64());
        self.bar.tell(|| message.clone());
        self.bar.bar.set_message(message);
        self.bar.bar.set_position((progress.done * UNITS as f64) as u64);
    }

    /// What a step says, `elapsed` seconds after the start.
    fn message(&mut self, progress: &Progress, elapsed: f64) -> String {
        self.count = (self.count + 1).min(100);
        self.loss += (progress.loss - self.loss) / self.count as f32;
        let (first, done) = self.first;
        let rate = (progress.step - first) as f64 * self.batch as f64 / elapsed;
        let left = time_left(elapsed, progress.done - done, 1.0 - progress.done);
        let left = left.map_or_else(|| "unknown".to_owned(), clock);
        format!("step {}  loss {:.4}  {rate:.0} samples/s  ETA {left}", progress.step, self.loss)
    }

    /// Shows a step, or prints a warning above the bar.
    pub fn show_event(&mut self, event: &Event) {
        match event {
            Event::Step(progress) => self.show(progress),
            Event::Warning(words) => self.note(&format!("warning: {words}")),
        }
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        self.bar.note(line);
    }

    /// Ends the bar and returns the smoothed loss; `None` where no step was shown.
    pub fn finish(self) -> Option<f32> {
        self.bar.bar.finish();
        (self.count > 0).then_some(self.loss)
    }
}

/// Seconds left where `done` of a work took `elapsed` seconds and `rest` is to be done: every part costs the same.
/// `None` before anything is done, as at a training's first step.
fn time_left(elapsed: f64, done: f64, rest: f64) -> Option<f64> {
    (done > 0.0).then(|| elapsed * rest.max(0.0) / done)
}

/// Seconds as `2h 05m`, `5m 03s` or `7s`.
fn clock(seconds: f64) -> String {
    let seconds = seconds.min(1e9) as u64;
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3600 => format!("{}m {:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h {:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// A sign of life during work that does not count its parts, until it is dropped.
#[derive(Debug)]
pub struct Busy {
    bar: ProgressBar,
    lines: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Busy {
    /// Says `what` is being done: a spinner in a terminal, a line every ten seconds elsewhere.
    pub fn new(what: &'static str) -> Self {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        let lines = bar.is_hidden().then(|| lines(what, EVERY, note));
        Self { bar, lines }
    }
}

/// Says `what` is being done, again and again, until what is returned first is dropped; the thread then ends.
fn lines(what: &'static str, every: Duration, say: impl Fn(String) + Send + 'static) -> (Sender<()>, JoinHandle<()>) {
    let (stop, stopped) = channel();
    let start = Instant::now();
    let lines = std::thread::spawn(move || {
        while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
            say(format!("{what}: {} so far", clock(start.elapsed().as_secs_f64())));
        }
    });
    (stop, lines)
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
        if let Some((stop, lines)) = self.lines.take() {
            drop(stop);
            let _ = lines.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    #[test]
    fn the_time_left_is_in_proportion() {
        assert_eq!(time_left(30.0, 0.25, 0.5), Some(60.0));
        assert_eq!(time_left(30.0, 0.0, 1.0), None);
        let texts = [0.0, 7.9, 303.0, 7500.0].map(clock);
        assert_eq!(texts, ["0s", "7s", "5m 03s", "2h 05m"]);
    }

    fn without_terminal(bar: Bar) -> Bar {
        bar.bar.set_draw_target(ProgressDrawTarget::hidden());
        bar
    }

    /// Without a terminal a line is due ten seconds after the start, and ten seconds after the one before it, however
    /// often something is counted.
    #[test]
    fn lines_are_due_every_ten_seconds() {
        let bar = without_terminal(image_bar(200));
        let start = *bar.next.lock().unwrap() - EVERY;
        let mut said = vec![];
        for tenth in 0..350 {
            bar.bar.inc(1);
            let line = bar.due(start + Duration::from_millis(100 * tenth), || bar.count());
            said.extend(line.map(|line| (tenth, line)));
        }
        let expected = [(100, "101 of 200"), (200, "201 of 200"), (300, "301 of 200")];
        assert_eq!(said, expected.map(|(tenth, line)| (tenth, line.to_owned())));
        // After a long silence there is one, not those that were left out.
        let late = start + Duration::from_secs(95);
        assert!(bar.due(late, String::new).is_some() && bar.due(late + EVERY / 2, String::new).is_none());
        assert!(bar.due(late + EVERY, String::new).is_some());
    }

    #[test]
    fn what_is_read_is_told_in_its_unit() {
        let bars = DataBar::default();
        bars.show(Unit::Samples, 30, 60_000);
        bars.show(Unit::Bytes, 3 << 29, 2 << 30);
        assert_eq!([bars.samples.count(), bars.bytes.count()], ["30 of 60000", "read 1.50 GiB of 2.00 GiB"]);
    }

    /// A training that was resumed at step 100 of 400, of which a second half takes as long as the first.
    #[test]
    fn a_line_of_training_has_rate_and_time_left() {
        let mut bar = TrainingBar::new(100, 0.25, 32);
        let first = bar.message(&Progress { step: 200, loss: 1.0, done: 0.5 }, 50.0);
        assert_eq!(first, "step 200  loss 1.0000  64 samples/s  ETA 1m 40s");
        let second = bar.message(&Progress { step: 400, loss: 0.5, done: 1.0 }, 150.0);
        assert_eq!(second, "step 400  loss 0.7500  64 samples/s  ETA 0s");
        let mut budget = TrainingBar::new(0, 0.0, 1);
        let first = budget.message(&Progress { step: 1, loss: 0.0, done: 0.0 }, 10.0);
        assert!(first.ends_with("ETA unknown"), "{first}");
        let line = budget.message(&Progress { step: 9, loss: 0.0, done: 0.01 }, 1.2);
        assert!(line.ends_with("ETA 1m 58s"), "{line}");
    }

    /// Work that counts nothing, such as an export's, tells that it goes on, and stops telling at its end.
    #[test]
    fn a_sign_of_life_comes_again_and_again() {
        let (say, said) = channel();
        let (stop, thread) = lines("quantizing", Duration::from_millis(1), move |line| drop(say.send(line)));
        for _ in 0..3 {
            assert_eq!(said.recv().unwrap(), "quantizing: 0s so far");
        }
        drop(stop);
        thread.join().unwrap();
        // Nobody is left to say anything.
        assert_eq!(said.iter().filter(|line| !line.starts_with("quantizing: ")).count(), 0);
    }
}
