//! `trainer classifier`.
use crate::data::digits;
use crate::eval::{classifier_training, Classifier};
use crate::{files, Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer classifier`.
#[derive(Debug, Args)]
pub struct TrainClassifier {
    /// The safetensors file to write.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Passes over the built-in training digits.
    #[arg(long, default_value_t = 40)]
    epochs: usize,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl TrainClassifier {
    /// Trains, writes the weights, and prints their hash and accuracy.
    ///
    /// # Errors
    /// Bad arguments, or a file that cannot be written.
    pub fn run(self) -> Result<()> {
        let bar = crate::report::progress::image_bar(0);
        let mut smoothed = None;
        let bytes = classifier_training::train(&digits::train()?, self.epochs, self.seed, |step, steps, loss| {
            let mean: &mut f64 = smoothed.get_or_insert(loss);
            *mean += 0.02 * (loss - *mean);
            bar.set_length(steps);
            bar.set_position(step);
            if step % 500 == 0 {
                bar.suspend(|| eprintln!("step {step} of {steps}: loss {mean:.4}"));
            }
        })?;
        bar.finish_and_clear();
        let classifier = Classifier::from_bytes(&bytes)?;
        let test = digits::test()?;
        let labels = test.labels.as_deref().ok_or_else(|| Error::Invalid("the test digits have no labels".into()))?;
        let classes = classifier.read(&test.images).classes;
        let right = classes.iter().zip(labels).filter(|(class, label)| class == label).count();
        files::write_atomically(&self.out, &bytes)?;
        super::print(&format!(
            "{}: {} bytes, sha256 {}, {:.2} % of the {} test digits read right",
            self.out.display(),
            bytes.len(),
            classifier.sha256(),
            100.0 * right as f64 / test.len() as f64,
            test.len()
        ))
    }
}
