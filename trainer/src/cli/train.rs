//! `trainer train`.
use crate::data::{augment::Augment, Dataset};
use crate::presets::NormName;
use crate::process::{Prediction, ScheduleName, Weighting};
use crate::report::{plot, progress::TrainingBar};
use crate::run::{checkpoint, Config};
use crate::train::{self, Trainer};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer train`.
#[derive(Debug, Args)]
pub struct Train {
    /// The network: digits28, digits28-nano or tiny [default: digits28].
    #[arg(long)]
    preset: Option<String>,
    /// `digits` (built in), an IDX file (.gz too), a folder of PNGs or an .npy array [default: digits].
    #[arg(long)]
    data: Option<String>,
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
    /// What the network predicts: the noise ε, the image x0, or v = α·ε − σ·x0 [default: v].
    #[arg(long)]
    prediction: Option<Prediction>,
    /// Weight of a timestep in the loss [default: min-snr].
    #[arg(long)]
    weighting: Option<Weighting>,
    /// γ of `--weighting min-snr` [default: 5].
    #[arg(long, value_name = "GAMMA")]
    snr_gamma: Option<f64>,
    /// Noise schedule [default: linear].
    #[arg(long)]
    schedule: Option<ScheduleName>,
    /// Rescale the schedule so that the last timestep is pure noise; not with `--prediction epsilon`.
    #[arg(long)]
    zero_terminal_snr: bool,
    /// Number of timesteps T [default: 1000].
    #[arg(long, value_name = "T")]
    timesteps: Option<usize>,
    /// How often an image is shown without its class, from 0 to 1 [default: 0.1].
    #[arg(long, value_name = "SHARE")]
    label_dropout: Option<f64>,
    /// Decay of the averaged weights a step, from 0 to 1 [default: 0.998].
    #[arg(long, value_name = "DECAY")]
    ema: Option<f64>,
    /// Normalisation behind the convolutions [default: batch].
    #[arg(long)]
    norm: Option<NormName>,
    /// Factor on the preset's channels [default: 1].
    #[arg(long, value_name = "FACTOR")]
    width: Option<f64>,
    /// Residual blocks at the lower resolution [default: the preset's].
    #[arg(long, value_name = "N")]
    blocks: Option<usize>,
    /// Share of the images that is held out, and on which the loss is measured now and then [default: 0].
    #[arg(long, value_name = "SHARE")]
    validation: Option<f64>,
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
        if let Some(last) = trainer.validation().last() {
            eprintln!(
                "averaged network: loss {:.4} on training images, {:.4} on held-out ones",
                last.training, last.validation
            );
        }
        Ok(())
    }

    fn fresh(&self) -> Result<(Trainer, Dataset)> {
        let preset = self.preset.as_deref().unwrap_or("digits28");
        if !crate::presets::NAMES.contains(&preset) {
            return Err(Error::Usage(format!(
                "there is no preset {preset:?}; choose one of {}",
                crate::presets::NAMES.join(", ")
            )));
        }
        if checkpoint::exists(&self.out) {
            return Err(Error::file(
                &self.out,
                "already holds a run; continue it with --resume or choose another folder",
            ));
        }
        let data = Dataset::open(self.data.as_deref().unwrap_or("digits"))?;
        let mut config = Config::new(preset, &data);
        self.apply(&mut config);
        Ok((Trainer::new(config)?, data))
    }

    /// Puts what was asked for into a configuration.
    fn apply(&self, config: &mut Config) {
        fn set<T: Copy>(field: &mut T, asked: Option<T>) {
            *field = asked.unwrap_or(*field);
        }
        set(&mut config.steps, self.steps);
        set(&mut config.batch, self.batch);
        set(&mut config.lr, self.lr);
        set(&mut config.seed, self.seed);
        set(&mut config.prediction, self.prediction);
        set(&mut config.weighting, self.weighting);
        set(&mut config.snr_gamma, self.snr_gamma);
        set(&mut config.schedule, self.schedule);
        config.zero_terminal_snr |= self.zero_terminal_snr;
        set(&mut config.timesteps, self.timesteps);
        set(&mut config.label_dropout, self.label_dropout);
        set(&mut config.ema, self.ema);
        set(&mut config.network.norm, self.norm);
        set(&mut config.network.width, self.width);
        config.network.blocks = self.blocks.or(config.network.blocks);
        set(&mut config.validation, self.validation);
        set(&mut config.augment, self.augment);
        set(&mut config.augment_share, self.augment_share);
    }

    fn resumed(&self) -> Result<(Trainer, Dataset)> {
        let found = checkpoint::load(&self.out)?;
        let c = &found.config;
        let mut asked = c.clone();
        self.apply(&mut asked);
        let differs = [
            ("--preset", self.preset.as_ref().is_some_and(|preset| *preset != c.preset)),
            ("--data", self.data.as_ref().is_some_and(|data| *data != c.data)),
            ("--steps", asked.steps != c.steps),
            ("--batch", asked.batch != c.batch),
            ("--lr", asked.lr != c.lr),
            ("--seed", asked.seed != c.seed),
            ("--prediction", asked.prediction != c.prediction),
            ("--weighting", asked.weighting != c.weighting),
            ("--snr-gamma", asked.snr_gamma != c.snr_gamma),
            ("--schedule", asked.schedule != c.schedule),
            ("--zero-terminal-snr", asked.zero_terminal_snr != c.zero_terminal_snr),
            ("--timesteps", asked.timesteps != c.timesteps),
            ("--label-dropout", asked.label_dropout != c.label_dropout),
            ("--ema", asked.ema != c.ema),
            ("--norm", asked.network.norm != c.network.norm),
            ("--width", asked.network.width != c.network.width),
            ("--blocks", asked.network.blocks != c.network.blocks),
            ("--validation", asked.validation != c.validation),
            ("--augment", asked.augment != c.augment),
            ("--augment-share", asked.augment_share != c.augment_share),
        ];
        let differs = differs.into_iter().find_map(|(flag, differs)| differs.then_some(flag));
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
