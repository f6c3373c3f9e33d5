//! What a run leaves for people beside its checkpoints: `metrics.csv` and sheets of samples.
use super::trainer::Trainer;
use super::warnings;
use crate::chain::{self, Batch, Classes};
use crate::report::image;
use crate::run::Config;
use crate::{files, Error, Result};
use brownian::Guidance;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// The first line of the file of metrics.
const HEADER: &str = "step,seconds,loss,learning_rate,training,validation,samples_per_second";
/// Its name in the run's folder.
const METRICS_FILE: &str = "metrics.csv";
/// The folder of the sheets in the run's.
const SAMPLES: &str = "samples";
/// Samples of a sheet, and of a row of it.
const SHEET: [usize; 2] = [40, 10];
/// Steps of the plan that a sheet is drawn with, and where it starts.
const PLAN: (usize, &str) = (10, "first=0.96");

/// A run's record in the making.
#[derive(Debug)]
pub struct Record {
    folder: PathBuf,
    rows: Vec<String>,
    /// Seconds that earlier rows tell of.
    before: f64,
    start: Instant,
    /// Step and moment of the last row.
    last: (u64, Instant),
}

impl Record {
    /// The record in a run's folder, as far as `step`: what a killed run wrote later is forgotten.
    pub fn open(folder: PathBuf, step: u64) -> Self {
        let text = fs::read_to_string(folder.join(METRICS_FILE)).unwrap_or_default();
        let field = |row: &str, i: usize| row.split(',').nth(i).and_then(|field| field.parse::<f64>().ok());
        let kept = |row: &&str| field(row, 0).is_some_and(|of| of <= step as f64);
        let rows: Vec<String> = text.lines().skip(1).filter(kept).map(str::to_owned).collect();
        let before = rows.last().and_then(|row| field(row, 1)).unwrap_or(0.0);
        Self { folder, rows, before, start: Instant::now(), last: (step, Instant::now()) }
    }

    /// Writes a row for the steps since the last one, and a sheet where one is due or the run is `done`. Returns what
    /// looks wrong, in words.
    ///
    /// # Errors
    /// Files that cannot be written.
    pub fn add(&mut self, trainer: &Trainer, progress: f64, done: bool) -> Result<Vec<String>> {
        let (step, config) = (trainer.step(), trainer.config());
        let new = &trainer.losses()[self.last.0.min(step) as usize..];
        if new.is_empty() {
            return Ok(vec![]);
        }
        let mean = new.iter().map(|loss| f64::from(*loss)).sum::<f64>() / new.len() as f64;
        let rate = (new.len() * config.batch) as f64 / self.last.1.elapsed().as_secs_f64();
        let seconds = self.before + self.start.elapsed().as_secs_f64();
        let validation = trainer.validation().last().filter(|last| last.step == step);
        let losses = validation.map_or(",".into(), |last| format!("{},{}", last.training, last.validation));
        let lr = config.learning_rate(step, progress);
        self.rows.push(format!("{step},{seconds:.1},{mean},{lr},{losses},{rate:.1}"));
        let text = [&[HEADER.to_owned()], &self.rows[..]].concat().join("\n") + "\n";
        files::write_atomically(&self.folder.join(METRICS_FILE), text.as_bytes())?;
        let mut words = warnings::of_training(trainer);
        if done || sheet_is_due(step) {
            let samples = samples(trainer)?;
            let folder = self.folder.join(SAMPLES);
            fs::create_dir_all(&folder).map_err(|e| Error::file(&folder, format!("cannot be made: {e}")))?;
            let shape = config.image;
            let zoom = (48 / shape[1].max(1)).clamp(1, 4);
            image::write_grid(&folder.join(format!("step-{step:09}.png")), &samples, shape, SHEET[1], zoom)?;
            words.extend(warnings::of_samples(&samples));
        }
        self.last = (step, Instant::now());
        Ok(words)
    }
}

/// At 1, 2 and 5 times a power of ten from 500 on, and every 10,000 steps.
fn sheet_is_due(step: u64) -> bool {
    let mut leading = step;
    while leading > 0 && leading.is_multiple_of(10) {
        leading /= 10;
    }
    step >= 500 && (matches!(leading, 1 | 2 | 5) || step.is_multiple_of(10_000))
}

/// Samples of the averaged network, in floats and from the same noise every time.
fn samples(trainer: &Trainer) -> Result<Vec<f32>> {
    let config = trainer.config();
    let network = trainer.network()?;
    let classes = if network.classes().is_empty() { Classes::None } else { Classes::Cycle };
    let batch = Batch { seed: config.seed, first: 0, count: SHEET[0], classes, guidance: Guidance::PLAIN };
    chain::float(&network, &plan(config)?, &batch, |_, _, _| ())
}

/// A plan of few steps that every schedule takes.
fn plan(config: &Config) -> Result<crate::plans::NamedPlan> {
    let (steps, first) = PLAN;
    if config.process.is_binomial() {
        return Ok(config.plans(&[format!("bits:{}", config.timesteps.min(steps))])?.remove(0));
    }
    let usual = config.plans(&[format!("dpm:{steps}:{first}")]);
    // A schedule of a few timesteps has no room for it.
    let mut plans = usual.or_else(|_| config.plans(&[format!("ddim:{}", config.timesteps.min(steps))]))?;
    Ok(plans.remove(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sheets_are_few() {
        let due: Vec<u64> = (1..=60).map(|i| i * 500).filter(|step| sheet_is_due(*step)).collect();
        assert_eq!(due, [500, 1000, 2000, 5000, 10_000, 20_000, 30_000]);
    }
}
