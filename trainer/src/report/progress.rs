//! Progress bars on standard error.
use crate::train::Progress;
use indicatif::{ProgressBar, ProgressStyle};
use std::time::Instant;

/// A bar of a training run: step, smoothed loss, samples a second and the time left.
#[derive(Debug)]
pub struct TrainingBar {
    bar: ProgressBar,
    start: Instant,
    first: u64,
    batch: usize,
    loss: f32,
    count: u32,
}

/// Resolution of the bar.
const UNITS: u64 = 10_000;

impl TrainingBar {
    /// A bar for a run that has made `step` steps and takes `batch` images a step.
    pub fn new(step: u64, done: f64, batch: usize) -> Self {
        let position = (done * UNITS as f64) as u64;
        let bar = styled(ProgressBar::new(UNITS).with_position(position), "{bar:24} {msg}  ETA {eta}");
        bar.reset_eta();
        Self { bar, start: Instant::now(), first: step, batch, loss: 0.0, count: 0 }
    }

    /// Shows a step.
    pub fn show(&mut self, progress: &Progress) {
        self.count = (self.count + 1).min(100);
        self.loss += (progress.loss - self.loss) / self.count as f32;
        let samples = (progress.step - self.first) as f64 * self.batch as f64;
        let rate = samples / self.start.elapsed().as_secs_f64();
        self.bar.set_message(format!("step {}  loss {:.4}  {rate:.0} samples/s", progress.step, self.loss));
        self.bar.set_position((progress.done * UNITS as f64) as u64);
    }

    /// Prints a line above the bar.
    pub fn note(&self, line: &str) {
        self.bar.suspend(|| eprintln!("{line}"));
    }

    /// Ends the bar and returns the smoothed loss; `None` where no step was shown.
    pub fn finish(self) -> Option<f32> {
        self.bar.finish();
        (self.count > 0).then_some(self.loss)
    }
}

/// A bar that counts images.
pub fn image_bar(count: usize) -> ProgressBar {
    styled(ProgressBar::new(count as u64), "{bar:24} {pos}/{len} images  {per_sec}  ETA {eta}")
}

fn styled(bar: ProgressBar, template: &str) -> ProgressBar {
    ProgressStyle::with_template(template).map_or(bar.clone(), |style| bar.with_style(style))
}
