//! `trainer demo`.
use crate::chain::{self, Batch, Classes};
use crate::data::Dataset;
use crate::inspect::Report;
use crate::model_file::ModelFile;
use crate::report::{image, plot, progress::TrainingBar};
use crate::train::{self, Config, Trainer};
use crate::{export, files, Error, Result};
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
    /// Seconds of training.
    #[arg(long, default_value_t = 180)]
    seconds: u64,
    /// Seed of everything random.
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

/// The network that the demo trains.
const PRESET: &str = "digits28";
/// The plan that it draws with.
const PLAN: &str = "fast10";
/// Guidance scale 1.5: clearer digits from a short training.
const GUIDANCE: u16 = 384;
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
        eprintln!("training {PRESET} on {} digits for {} seconds", data.len(), self.seconds);
        let mut bar = TrainingBar::new(0, 0.0, trainer.config().batch);
        let time = Some(Duration::from_secs(self.seconds));
        let result = train::run(&mut trainer, &data, None, time, |progress| bar.show(&progress));
        bar.finish();
        result?;

        eprintln!("quantizing and exporting");
        let plans = export::DEFAULT_PLANS.map(str::to_owned);
        let bytes = export::export(&trainer.checkpoint()?, &plans, &Default::default())?;
        let [model_path, samples_path, loss_path] =
            ["digits28.brn", "samples.png", "loss.png"].map(|name| self.out.join(name));
        files::write_atomically(&model_path, &bytes)?;
        plot::loss(&loss_path, trainer.losses())?;

        eprintln!("sampling with the integer runtime");
        let file = ModelFile::from_bytes(&bytes);
        let model = file.model()?;
        let plan = model.plan(PLAN).ok_or_else(|| Error::Invalid(format!("there is no plan {PLAN}")))?;
        let batch = Batch {
            seed: self.seed,
            first: 0,
            count: COUNT,
            classes: Classes::Cycle,
            guidance_scale: GUIDANCE,
            guidance: Guidance::Bias,
        };
        let samples = chain::integer(&model, plan, &batch, || ())?;
        let shape = model.shape();
        image::write_grid(&samples_path, &samples, shape, 10, 2)?;
        let image = shape.iter().product::<usize>();
        for row in samples[..10 * image].chunks(image * 4) {
            super::print(image::text(row, shape).trim_end_matches('\n'))?;
        }
        super::print(&format!(
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
