//! `trainer demo`.
use super::output;
use crate::chain::{self, Batch, Classes};
use crate::data::Dataset;
use crate::finetune::FineTuner;
use crate::report::note::note;
use crate::report::{image, plot, progress::Busy, progress::TrainingBar};
use crate::run::{Checkpoint, Config, FineTuning};
use crate::train::{self, Progress, Trainer};
use crate::{export, files, Error, Result};
use brownian::host::{OwnedModel, Report};
use brownian::Guidance;
use clap::Args;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Arguments of `trainer demo`.
#[derive(Debug, Args)]
pub struct Demo {
    /// Folder for the results.
    #[arg(long, default_value = "demo")]
    out: PathBuf,
    /// Seconds of training. From 60 on, a third of them goes to fine-tuning for the plan that the demo draws with.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The network that the demo trains.
const PRESET: &str = "digits28";
/// The plan that it draws with, and its name.
const PLAN: &str = "fast5=dpm:5:first=0.93";
const PLAN_NAME: &str = "fast5";
/// The guidance scale for clearer digits from a training without fine-tuning.
const GUIDANCE: f32 = 1.5;
/// Seconds below which there is no time for fine-tuning.
const FINE_TUNING_FROM: u64 = 60;
/// The fine-tuning, which ends when its time is over.
fn fine_tuning(run: &Checkpoint, seed: u64) -> FineTuning {
    FineTuning {
        plans: vec![PLAN.into()],
        steps: 1000,
        critic_epochs: 2,
        class_prior_rounds: 0,
        ema: 0.95,
        seed,
        ..FineTuner::usual(run)
    }
}
/// Images in the picture, ten of each class.
const COUNT: usize = 100;

impl Demo {
    /// Trains, exports, samples and draws.
    ///
    /// # Errors
    /// Results that cannot be written.
    pub fn run(self) -> Result<()> {
        if self.seconds == 0 {
            return Err(Error::Usage("--seconds 0: give at least 1".into()));
        }
        let start = Instant::now();
        std::fs::create_dir_all(&self.out).map_err(|e| Error::file(&self.out, format!("cannot be made: {e}")))?;
        let data = Dataset::open("digits")?;
        let mut config = Config::new(PRESET, &data);
        config.seed = self.seed;
        let mut trainer = Trainer::new(config)?;
        let tuning_time = match self.seconds >= FINE_TUNING_FROM {
            true => Duration::from_secs(self.seconds) / 3,
            false => Duration::ZERO,
        };
        let training_time = Duration::from_secs(self.seconds) - tuning_time;
        note(format_args!("training {PRESET} on {} digits for {} seconds", data.len(), training_time.as_secs()));
        let mut bar = TrainingBar::new(0, 0.0, trainer.config().batch);
        let time = Some(training_time);
        let result = train::run(&mut trainer, &data, None, time, |event| bar.show_event(&event));
        bar.finish();
        result?;

        let trained = trainer.checkpoint()?;
        let run = match tuning_time.is_zero() {
            true => trained,
            false => tune(&trained, &data, self.seed, tuning_time)?,
        };

        note(format_args!("quantizing and exporting"));
        let plans = export::DEFAULT_PLANS.map(str::to_owned);
        let busy = Busy::new("quantizing");
        let bytes = export::export(&run, &plans, &Default::default())?.file;
        drop(busy);
        let [model_path, samples_path, loss_path] =
            ["digits28.brn", "samples.png", "loss.png"].map(|name| self.out.join(name));
        files::write_atomically(&model_path, &bytes)?;
        plot::loss(&loss_path, trainer.losses())?;

        note(format_args!("sampling with the integer runtime"));
        let file = OwnedModel::new(&bytes)?;
        let model = file.model();
        let plan = file.plan(PLAN_NAME)?;
        let batch = Batch {
            seed: self.seed,
            first: 0,
            count: COUNT,
            classes: Classes::Cycle,
            guidance: Guidance::new(if tuning_time.is_zero() { GUIDANCE } else { 1.0 })
                .map_err(|e| Error::Usage(e.to_string()))?,
        };
        let samples = chain::integer(&model, plan, &batch, || ())?;
        let shape = model.shape();
        image::write_grid(&samples_path, &samples, shape, 10, 2)?;
        let image = shape.iter().product::<usize>();
        for row in samples[..10 * image].chunks(image * 4) {
            output::print(image::text(row, shape).trim_end_matches('\n'))?;
        }
        output::print(&format!(
            "{} steps of training, {:.0} s in all\n{}\n{}, {}, {}",
            trainer.step(),
            start.elapsed().as_secs_f64(),
            Report::new(&model, bytes.len()).needs(),
            samples_path.display(),
            model_path.display(),
            loss_path.display()
        ))
    }
}

/// Fine-tunes for as long as `time`.
fn tune(run: &Checkpoint, data: &Dataset, seed: u64, time: Duration) -> Result<Checkpoint> {
    let start = Instant::now();
    let done = || start.elapsed().as_secs_f64() / time.as_secs_f64();
    let tuning = fine_tuning(run, seed);
    note(format_args!("fine-tuning {PLAN_NAME} in integers for {} seconds", time.as_secs()));
    let mut bar = TrainingBar::new(0, 0.0, tuning.batch);
    let mut tuner = FineTuner::new(run, data, tuning, |_, _| ())?;
    while done() < 1.0 {
        let figures = tuner.tune_step(data, done().min(1.0))?;
        bar.show(&Progress { step: figures.step, loss: figures.distillation as f32, done: done().min(1.0) });
    }
    bar.finish();
    tuner.checkpoint()
}
