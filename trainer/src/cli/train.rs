//! `trainer train`.
use crate::checkpoint;
use crate::data::{augment::Augment, Dataset};
use crate::report::{plot, progress::TrainingBar};
use crate::train::{self, Config, Trainer};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer train`.
#[derive(Debug, Args)]
pub struct Train {
    /// The network: digits28, digits28-nano or tiny.
    #[arg(long, default_value = "digits28")]
    preset: String,
    /// `digits` (built in), an IDX file (.gz too), a folder of PNGs or an .npy array.
    #[arg(long, default_value = "digits")]
    data: String,
    /// Folder of the run.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Number of steps [default: 40000].
    #[arg(long)]
    steps: Option<u64>,
    /// Images a step [default: 32].
    #[arg(long)]
    batch: Option<usize>,
    /// Highest learning rate [default: 0.016].
    #[arg(long)]
    lr: Option<f64>,
    /// Seed of everything random [default: 0].
    #[arg(long)]
    seed: Option<u64>,
    /// Vary the training images: `shift` moves them by whole pixels, `affine` also turns, scales and shears them a little
    /// [default: none].
    #[arg(long)]
    augment: Option<Augment>,
    /// Share of the images that `--augment` varies [default: 0.5].
    #[arg(long, value_name = "SHARE")]
    augment_share: Option<f64>,
    /// Continue a run from its last checkpoint.
    #[arg(long)]
    resume: bool,
}

impl Train {
    /// Trains, and leaves checkpoints and `loss.png` in the run's folder.
    ///
    /// # Errors
    /// Bad arguments, data or files, or training that fails.
    pub fn run(self) -> Result<()> {
        let (mut trainer, data) = if self.resume { self.resumed()? } else { self.fresh()? };
        let graph = trainer.graph();
        let weights = graph.weight_count();
        eprintln!(
            "{}: {weights} weights on the chip, {:.2} M MACs a step; {} images of {} from {}",
            trainer.config().preset,
            graph.macs() as f64 / 1e6,
            data.len(),
            data.shape,
            data.source
        );
        let done = trainer.step() as f64 / trainer.config().steps as f64;
        let mut bar = TrainingBar::new(trainer.step(), done, trainer.config().batch);
        let result = train::run(&mut trainer, &data, Some(&self.out), None, |progress| bar.show(&progress));
        let loss = bar.finish();
        result.map_err(|e| match e {
            Error::Training { step, reason } if checkpoint::exists(&self.out) => Error::Training {
                step,
                reason: format!("{reason} (the last checkpoint in {} is kept)", self.out.display()),
            },
            other => other,
        })?;
        plot::loss(&self.out.join("loss.png"), trainer.losses())?;
        eprintln!("{}: {} steps, mean loss of the last {:.4}", self.out.display(), trainer.step(), loss);
        Ok(())
    }

    fn fresh(&self) -> Result<(Trainer, Dataset)> {
        if !crate::presets::NAMES.contains(&self.preset.as_str()) {
            return Err(Error::Usage(format!(
                "there is no preset {:?}; choose one of {}",
                self.preset,
                crate::presets::NAMES.join(", ")
            )));
        }
        if checkpoint::exists(&self.out) {
            return Err(Error::file(
                &self.out,
                "already holds a run; continue it with --resume or choose another folder",
            ));
        }
        let data = Dataset::open(&self.data)?;
        let mut config = Config::new(&self.preset, &data);
        config.steps = self.steps.unwrap_or(config.steps);
        config.batch = self.batch.unwrap_or(config.batch);
        config.lr = self.lr.unwrap_or(config.lr);
        config.seed = self.seed.unwrap_or(config.seed);
        config.augment = self.augment.unwrap_or(config.augment);
        config.augment_share = self.augment_share.unwrap_or(config.augment_share);
        Ok((Trainer::new(config)?, data))
    }

    fn resumed(&self) -> Result<(Trainer, Dataset)> {
        let found = checkpoint::load(&self.out)?;
        let c = &found.config;
        let differs = (self.steps.is_some_and(|v| v != c.steps).then_some("--steps"))
            .or(self.batch.is_some_and(|v| v != c.batch).then_some("--batch"))
            .or(self.lr.is_some_and(|v| v != c.lr).then_some("--lr"))
            .or(self.seed.is_some_and(|v| v != c.seed).then_some("--seed"))
            .or(self.augment.is_some_and(|v| v != c.augment).then_some("--augment"))
            .or(self.augment_share.is_some_and(|v| v != c.augment_share).then_some("--augment-share"));
        if let Some(flag) = differs {
            return Err(Error::Usage(format!(
                "{flag} differs from the run in {}; a resumed run keeps its own",
                self.out.display()
            )));
        }
        let data = Dataset::open(&c.data)?;
        if data.digest() != c.data_digest {
            return Err(Error::file(
                &c.data,
                format!("is not the data that the run in {} was started with", self.out.display()),
            ));
        }
        Ok((Trainer::from_checkpoint(found)?, data))
    }
}
