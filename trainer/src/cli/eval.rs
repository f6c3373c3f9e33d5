//! `trainer eval`.
use super::sample::guidance_scale;
use crate::chain::{Batch, Classes};
use crate::eval::classifier::CLASSES;
use crate::eval::judge::Images;
use crate::eval::report::{PlanReport, Report};
use crate::eval::{bound, Judge, Source};
use crate::report::progress;
use crate::{Error, Result};
use brownian::Guidance;
use clap::Args;
use std::path::PathBuf;
use std::time::Instant;

/// Arguments of `trainer eval`.
#[derive(Debug, Args)]
pub struct Eval {
    /// The model file, or the folder of a run, whose float network is then evaluated.
    #[arg(value_name = "FILE.brn|RUN")]
    model: PathBuf,
    /// A plan: its name in the model file, or `[NAME=]METHOD:STEPS[:OPTION...]` for a run; may be given several times. All plans by
    /// default.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
    /// Images of each draw.
    #[arg(long, default_value_t = 10_000)]
    count: u32,
    /// Seed of the draws and of the bootstrap.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Guidance scale of the draw with classes, 0 to 16.
    #[arg(long, default_value_t = 1.0)]
    guidance: f64,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// The fewest images whose features have a covariance worth comparing.
const FEWEST: u32 = 100;

impl Eval {
    /// Draws, judges and prints the report.
    ///
    /// # Errors
    /// Bad arguments or files.
    pub fn run(self) -> Result<()> {
        if self.count < FEWEST {
            return Err(Error::Usage(format!("--count {}: give at least {FEWEST}", self.count)));
        }
        let scale = guidance_scale(self.guidance)?;
        let source = Source::open(&self.model, &self.plans)?;
        let choices = source.plans(&self.plans)?;
        let count = self.count as usize;
        let judge = Judge::new(count, self.seed)?;
        let asked: Vec<u8> = (0..count).map(|i| (i % CLASSES) as u8).collect();
        let mut plans = Vec::new();
        for choice in &choices {
            let start = Instant::now();
            let bar = progress::image_bar(2 * count);
            let draw = |classes: Classes, guidance_scale: u16| {
                let batch =
                    Batch { seed: self.seed, first: 0, count, classes, guidance_scale, guidance: Guidance::Bias };
                source.draw(choice, &batch, |images| bar.inc(images))
            };
            let images = draw(Classes::Cycle, scale)?;
            let unconditional = draw(Classes::None, 256)?;
            bar.finish_and_clear();
            let seconds = start.elapsed().as_secs_f64();
            let set =
                Images { images: &images, asked: Some(&asked), unconditional: &unconditional, memorised: &images };
            let figures = judge.figures(&set)?;
            plans.push(PlanReport { name: choice.name.clone(), steps: choice.steps, seconds, figures });
        }
        let bound = match &source {
            Source::Run { network, config, .. } => {
                let bar = progress::image_bar(bound::evaluations(config.timesteps) as usize);
                let bound = bound::bound(network, config, self.seed, |images| bar.inc(images))?;
                bar.finish_and_clear();
                Some(bound)
            }
            Source::File(_) => None,
        };
        let arithmetic = if matches!(source, Source::File(_)) { "int8" } else { "float" };
        let model = self.model.display().to_string();
        let numbers = [u64::from(self.count), self.seed];
        let report = Report::new(&judge, model, arithmetic, numbers, self.guidance, plans, bound)?;
        if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Invalid(e.to_string()))?;
            super::print(&text)
        } else {
            super::print(report.to_string().trim_end())
        }
    }
}
