//! `trainer judge`.
use super::options::usual;
use super::output;
use super::run_data::check_lesson;
use crate::data::Options;
use crate::eval::corruption;
use crate::eval::frechet::Moments;
use crate::eval::subject::{Subject, HELD_OUT};
use crate::eval::{evaluator_training, Evaluator, FEATURES};
use crate::recognition::Lesson;
use crate::report::note::note;
use crate::report::progress::image_bar;
use crate::{files, Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer judge`.
#[derive(Debug, Args)]
pub struct Judge {
    /// The images, as in `trainer train`; with labels the evaluator learns these, without it teaches itself.
    #[arg(long, value_name = "DATA")]
    data: String,
    /// Images that nothing is trained on, to measure with. [default: those of built-in data, else a share held out]
    #[arg(long, value_name = "DATA", conflicts_with = "held_out")]
    test: Option<String>,
    #[arg(long, value_name = "SHARE", help = usual(
        "Share of the data that is held out to measure with, where there are no test images",
        HELD_OUT
    ))]
    held_out: Option<f64>,
    /// The safetensors file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Passes over the data. [default: 25 for 10,000 images, more for fewer]
    #[arg(long)]
    epochs: Option<usize>,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    #[command(flatten)]
    options: Options,
}

/// Steps between two lines of figures.
const NOTE_STEPS: u64 = 500;

impl Judge {
    /// Trains, writes the evaluator, and prints its hash and what it makes of the held-out images.
    ///
    /// # Errors
    /// Bad arguments or data, or a file that cannot be written.
    pub fn run(self) -> Result<()> {
        if let Some(share) = self.held_out.filter(|share| !(0.001..=0.5).contains(share)) {
            return Err(Error::Usage(format!("--held-out {share}: give a share from 0.001 to 0.5")));
        }
        if self.epochs == Some(0) {
            return Err(Error::Usage("--epochs 0: give at least 1".into()));
        }
        let read: Vec<&Path> = [Some(&self.data), self.test.as_ref()].into_iter().flatten().map(Path::new).collect();
        files::check_apart(&read, &[("--out", &self.out)])?;
        files::check_writable(&self.out)?;
        let subject = Subject::open(&self.data, &self.options, self.test.as_deref(), self.held_out)?;
        check_lesson(&self.data, &subject.train)?;
        let epochs = self.epochs.unwrap_or_else(|| evaluator_training::usual_epochs(subject.train.len()));
        let about = subject.about(epochs, self.seed);
        let learns = Lesson::of(&subject.train).summary();
        let [kept, held_out] = [subject.train.len(), subject.test.len()];
        subject.lines.iter().for_each(note);
        let seen = subject.test.copies_of(&subject.train);
        if seen > 0 {
            note(format!("warning: {seen} of the {held_out} images to measure with are among the others, too"));
        }
        note(format!("the evaluator learns {learns}, of {kept} images; {held_out} others are held out"));
        let (bar, mut smoothed) = (image_bar(0), None);
        let bytes = evaluator_training::train(&subject.train, &about, |step, steps, loss| {
            let mean: &mut f64 = smoothed.get_or_insert(loss);
            *mean += 0.02 * (loss - *mean);
            bar.set_length(steps);
            bar.set_position(step);
            if step % NOTE_STEPS == 0 {
                bar.note(&format!("step {step} of {steps}: loss {mean:.4}"));
            }
        })?;
        bar.finish_and_clear();
        let evaluator = Evaluator::from_bytes(&bytes)?;
        files::write_atomically(&self.out, &bytes)?;
        output::print(self.report(&evaluator, &subject, bytes.len()).trim_end())
    }

    /// What the evaluator makes of the held-out images, as they are and corrupted.
    fn report(&self, evaluator: &Evaluator, subject: &Subject, bytes: usize) -> String {
        let moments = |images: &[f32]| {
            let features = evaluator.read(images).features;
            Moments::of(&features, FEATURES, 0..features.len() / FEATURES)
        };
        let labels = subject.test.labels.as_ref().filter(|labels| evaluator.heads().len() == labels.axes.len());
        let right = if labels.is_some() { "read right, and " } else { "" };
        let mut lines = format!(
            "{}: {bytes} bytes, sha256 {}\n{} images that it was not trained on: {right}Fréchet distance to the others\n",
            self.out.display(),
            evaluator.sha256(),
            subject.test.len(),
        );
        let (reference, test) = (moments(&subject.train.images.to_vec()), subject.test.images.to_vec());
        let shape = subject.test.shape;
        let corrupted = corruption::all(subject.train.sound).into_iter();
        let corrupted = corrupted.map(|corruption| (corruption.name, corruption.of(shape, &test)));
        for (name, changed) in std::iter::once(("as they are", test.clone())).chain(corrupted) {
            let right = labels.map_or(String::new(), |labels| {
                format!("{:>6.2} %", 100.0 * evaluator.accuracy(&changed, &labels.values))
            });
            lines += &format!("  {name:<12} {right}  {:>8.2}\n", moments(&changed).distance(&reference));
        }
        if let Some(labels) = labels.filter(|labels| labels.axes.len() > 1) {
            for (axis, share) in evaluator.accuracies(&test, &labels.values) {
                lines += &format!("  {axis} alone: {:.2} % read right\n", 100.0 * share);
            }
        }
        lines
    }
}
