//! `trainer train`.
use super::network::NetworkArgs;
use super::options::{difference, name_of, set, usual};
use super::run_data::{check_apart, data_of, describe, training_data};
use crate::data::{augment::Augment, Opened, Options};
use crate::lower;
use crate::nets::Choice;
use crate::process::{Prediction, ScheduleName, Weighting};
use crate::report::{plot, progress::TrainingBar};
use crate::run::{checkpoint, Config};
use crate::train::{self, Trainer};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer train`; what is not given is as in [`Config::usual`].
#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    network: NetworkArgs,
    #[arg(long, help = usual(
        "A folder of pictures, an .npy or .npz array or an IDX file (.gz too), or `digits` or `faces16` (built in)",
        Config::usual().data
    ))]
    data: Option<String>,
    #[command(flatten)]
    data_options: Options,
    /// Folder of the run.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    #[arg(long, help = usual("Number of steps", Config::usual().steps))]
    steps: Option<u64>,
    #[arg(long, help = usual("Images a step", Config::usual().batch))]
    batch: Option<usize>,
    #[arg(long, help = usual("Highest learning rate", Config::usual().lr))]
    lr: Option<f64>,
    #[arg(long, help = usual("Seed of everything random", Config::usual().seed))]
    seed: Option<u64>,
    #[arg(long, help = usual(
        "What the network predicts: the noise ε, the image x0, or v = α·ε − σ·x0",
        name_of(Config::usual().prediction)
    ))]
    prediction: Option<Prediction>,
    #[arg(long, help = usual("Weight of a timestep in the loss", name_of(Config::usual().weighting)))]
    weighting: Option<Weighting>,
    #[arg(long, value_name = "GAMMA", help = usual("γ of `--weighting min-snr`", Config::usual().snr_gamma))]
    snr_gamma: Option<f64>,
    #[arg(long, help = usual("Noise schedule", name_of(Config::usual().schedule)))]
    schedule: Option<ScheduleName>,
    /// Rescale the schedule so that the last timestep is pure noise; not with `--prediction epsilon`.
    #[arg(long)]
    zero_terminal_snr: bool,
    #[arg(long, value_name = "T", help = usual("Number of timesteps T", Config::usual().timesteps))]
    timesteps: Option<usize>,
    #[arg(long, value_name = "SHARE", help = usual(
        "How often an image is shown without its class, from 0 to 1",
        Config::usual().label_dropout
    ))]
    label_dropout: Option<f64>,
    #[arg(long, value_name = "DECAY", help = usual(
        "Decay of the averaged weights a step, from 0 to 1",
        Config::usual().ema
    ))]
    ema: Option<f64>,
    #[arg(long, value_name = "SHARE", help = usual(
        "Share of the images that is held out, and on which the loss is measured now and then",
        Config::usual().validation
    ))]
    validation: Option<f64>,
    #[arg(long, help = usual(
        "Vary the training images: `shift` moves them by whole pixels, `affine` also turns, scales and shears them a \
         little, both on black; `flip` mirrors every second one, `flip-shift` also moves them, for pictures",
        name_of(Config::usual().augment)
    ))]
    augment: Option<Augment>,
    #[arg(long, value_name = "SHARE", help = usual(
        "Share of the images that `--augment` varies",
        Config::usual().augment_share
    ))]
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
        let (mut trainer, opened) = if self.resume { self.resumed()? } else { self.fresh()? };
        checkpoint::check_writable(&self.out)?;
        let graph = trainer.graph();
        let weights = graph.weight_count();
        describe(&opened);
        let data = opened.data;
        eprintln!(
            "{}: {weights} weights on the chip, {:.2} M MACs a step",
            trainer.config().preset,
            graph.macs() as f64 / 1e6
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
        match loss {
            Some(loss) => {
                eprintln!("{}: {} steps, mean loss of the last {loss:.4}", self.out.display(), trainer.step());
            }
            None => eprintln!("{}: {} steps, all done before", self.out.display(), trainer.step()),
        }
        if let Some(last) = trainer.validation().last() {
            eprintln!(
                "averaged network: loss {:.4} on training images, {:.4} on held-out ones",
                last.training, last.validation
            );
        }
        Ok(())
    }

    fn fresh(&self) -> Result<(Trainer, Opened)> {
        self.network.check()?;
        let mut config = Config::usual();
        self.apply(&mut config);
        if checkpoint::exists(&self.out) {
            return Err(Error::file(
                &self.out,
                "already holds a run; continue it with --resume or choose another folder",
            ));
        }
        check_apart(&config.data, &self.out)?;
        let opened = training_data(&config.data, &config.data_options)?;
        let data = &opened.data;
        let source = config.data.clone();
        let (name, spec) = self.network.spec(data.shape)?;
        let mut config = Config { network: Choice::Spec(spec), ..Config::new(&name, data) };
        self.apply(&mut config);
        // What no model file can hold is not worth training.
        lower::check(&config.graph()?)?;
        Ok((Trainer::new(Config { data: source, ..config })?, opened))
    }

    /// Puts what was asked for into a configuration.
    fn apply(&self, config: &mut Config) {
        set(&mut config.data, &self.data);
        config.data_options = self.data_options.or(&config.data_options);
        set(&mut config.steps, &self.steps);
        set(&mut config.batch, &self.batch);
        set(&mut config.lr, &self.lr);
        set(&mut config.seed, &self.seed);
        set(&mut config.prediction, &self.prediction);
        set(&mut config.weighting, &self.weighting);
        set(&mut config.snr_gamma, &self.snr_gamma);
        set(&mut config.schedule, &self.schedule);
        config.zero_terminal_snr |= self.zero_terminal_snr;
        set(&mut config.timesteps, &self.timesteps);
        set(&mut config.label_dropout, &self.label_dropout);
        set(&mut config.ema, &self.ema);
        set(&mut config.validation, &self.validation);
        set(&mut config.augment, &self.augment);
        set(&mut config.augment_share, &self.augment_share);
    }

    fn resumed(&self) -> Result<(Trainer, Opened)> {
        let found = checkpoint::load(&self.out)?;
        let c = &found.config;
        if c.fine_tuning.is_some() {
            return Err(Error::file(
                &self.out,
                "is a fine-tuned run, which training on would undo; `trainer finetune --resume` continues one",
            ));
        }
        let mut asked = c.clone();
        self.apply(&mut asked);
        let option = match self.network.differs(c)? {
            Some(option) => Some(option.to_owned()),
            None => difference(&asked, c, &[]),
        };
        if let Some(option) = option {
            return Err(Error::Usage(format!(
                "{option} differs from the run in {}; a resumed run keeps its own",
                self.out.display()
            )));
        }
        let opened = data_of(c, &self.out)?;
        Ok((Trainer::from_checkpoint(found)?, opened))
    }
}
