//! `trainer classifier`.
use super::output;
use crate::data::{digits, Dataset};
use crate::eval::classifier::FEATURES;
use crate::eval::frechet::Moments;
use crate::eval::{classifier_training, corruption, Classifier};
use crate::{files, Error, Result};
use clap::Args;
use std::ops::Range;
use std::path::PathBuf;

/// Arguments of `trainer classifier`.
#[derive(Debug, Args)]
pub struct TrainClassifier {
    /// The safetensors file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Passes over the built-in training digits.
    #[arg(long, default_value_t = 25)]
    epochs: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Keep so many of the training digits out and measure on them in place of the test digits: for comparing ways of
    /// training.
    #[arg(long, value_name = "N")]
    held_out: Option<usize>,
}

/// Makes other images of images.
type Change = fn(&[f32]) -> Vec<f32>;

impl TrainClassifier {
    /// Trains, writes the weights, and prints their hash and accuracy.
    ///
    /// # Errors
    /// Bad arguments, or a file that cannot be written.
    pub fn run(self) -> Result<()> {
        files::check_writable(&self.out)?;
        let bar = crate::report::progress::image_bar(0);
        let mut smoothed = None;
        let (train, unseen, name) = self.split()?;
        let bytes = classifier_training::train(&train, self.epochs, self.seed, |step, steps, loss| {
            let mean: &mut f64 = smoothed.get_or_insert(loss);
            *mean += 0.02 * (loss - *mean);
            bar.set_length(steps);
            bar.set_position(step);
            if step % 500 == 0 {
                bar.note(&format!("step {step} of {steps}: loss {mean:.4}"));
            }
        })?;
        bar.finish_and_clear();
        let classifier = Classifier::from_bytes(&bytes)?;
        files::write_atomically(&self.out, &bytes)?;
        let labels = unseen.single_labels().unwrap_or_default();
        let reference = Moments::of(&classifier.read(&train.images.to_vec()).features, FEATURES, 0..train.len());
        let mut lines = format!(
            "{}: {} bytes, sha256 {}\n{} {name} digits: read right, and Fréchet distance to the {} they were not part of\n",
            self.out.display(),
            bytes.len(),
            classifier.sha256(),
            unseen.len(),
            train.len()
        );
        let changes: [(&str, Change); 4] = [
            ("as they are", <[f32]>::to_vec),
            ("noise", corruption::noise),
            ("blur", corruption::blur),
            ("uniform", corruption::uniform),
        ];
        for (name, change) in changes {
            let reading = classifier.read(&change(&unseen.images.to_vec()));
            let right = reading.classes.iter().zip(labels).filter(|(class, label)| class == label).count();
            let distance = Moments::of(&reading.features, FEATURES, 0..unseen.len()).distance(&reference);
            let share = 100.0 * right as f64 / unseen.len() as f64;
            lines += &format!("  {name:<12} {share:>6.2} %  {distance:>8.2}\n");
        }
        output::print(lines.trim_end())
    }

    /// What to train on, what to measure on, and what that is called.
    fn split(&self) -> Result<(Dataset, Dataset, &'static str)> {
        let all = digits::train()?;
        let Some(held_out) = self.held_out else { return Ok((all, digits::test()?, "test")) };
        if !(100..all.len()).contains(&held_out) {
            return Err(Error::Usage(format!("--held-out {held_out}: give 100 to {}", all.len() - 1)));
        }
        let kept = all.len() - held_out;
        let part = |range: Range<usize>| Dataset {
            source: all.source.clone(),
            shape: all.shape,
            images: all.images.select(&range.clone().collect::<Vec<_>>(), all.shape.len()),
            labels: all.labels.as_ref().map(|labels| labels.select(range)),
        };
        Ok((part(0..kept), part(kept..all.len()), "held-out"))
    }
}
