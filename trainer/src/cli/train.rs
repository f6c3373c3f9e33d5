//! `trainer train`.
use super::fit::FitArgs;
use super::network::NetworkArgs;
use super::options::{name_of, set, usual};
use super::process::ProcessArgs;
use super::run_data::{check_apart, data_of, describe, training_data};
use crate::data::{augment::Augment, Opened, Options};
use crate::lower;
use crate::memory;
use crate::nets::{Choice, NormName, Spec, Variation};
use crate::process::Weighting;
use crate::report::note::note;
use crate::report::{plot, progress::TrainingBar};
use crate::run::{checkpoint, difference, Checkpoint, Config, Lock, MOST_STEPS};
use crate::train::{self, Trainer};
use crate::{Error, Result};
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer train`; what is not given is as in [`Config::usual`].
#[derive(Debug, Args)]
pub struct Train {
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    fit: FitArgs,
    #[arg(long, help = usual(
        "A folder of pictures or recordings, an .npy or .npz array or an IDX file (.gz too), or one that is built in: \
         `digits`, `faces16`, `spoken`, `heartbeat` or `swissroll`",
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
    /// Minutes of training, beside or instead of `--steps`: whichever is over first ends the run, and the learning rate
    /// has fallen to zero then.
    #[arg(long)]
    minutes: Option<f64>,
    #[arg(long, help = usual("Images a step", Config::usual().batch))]
    batch: Option<usize>,
    #[arg(long, value_name = "N", help = usual(
        "Parts that a step's images are computed in, one after the other, for less memory",
        Config::usual().accumulate
    ))]
    accumulate: Option<usize>,
    #[arg(long, help = usual("Highest learning rate", Config::usual().lr))]
    lr: Option<f64>,
    #[arg(long, help = usual("Seed of everything random", Config::usual().seed))]
    seed: Option<u64>,
    #[command(flatten)]
    process: ProcessArgs,
    #[arg(long, help = usual(
        "Weight of a timestep in the loss; over bits `simple`, the cross-entropy of x0, is usual, and `variational` are \
         the terms of the bound",
        name_of(Config::usual().weighting)
    ))]
    weighting: Option<Weighting>,
    #[arg(long, value_name = "GAMMA", help = usual("γ of `--weighting min-snr`", Config::usual().snr_gamma))]
    snr_gamma: Option<f64>,
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
    /// Start from the weights of another run, with its network; class tables start anew where the classes are others.
    #[arg(long, value_name = "RUN", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Continue a run from its last checkpoint, with more `--steps` or `--minutes` if wanted, or `--data` in a new place.
    #[arg(long)]
    resume: bool,
    /// Make the run with its random weights and train nothing: `run-to-torch` takes it, to be trained elsewhere.
    #[arg(long, conflicts_with = "resume")]
    only_start: bool,
}

impl Train {
    /// Trains, and leaves checkpoints and `loss.png` in the run's folder.
    ///
    /// # Errors
    /// Bad arguments, data or files, or training that fails.
    pub fn run(self) -> Result<()> {
        let (mut trainer, opened, _lock) = if self.resume { self.resumed()? } else { self.fresh()? };
        checkpoint::check_writable(&self.out)?;
        describe(&opened);
        if trainer.graph().local().is_some() {
            note("the network follows the log-mel spectrograms of the recordings; their labels are left out");
        }
        let data = opened.data;
        if self.only_start {
            trainer.keep_locals(&data)?;
            checkpoint::save(&self.out, &trainer.checkpoint()?)?;
            note(format_args!("{}: {} at its start", self.out.display(), trainer.config().preset));
            if trainer.config().augment != Augment::None {
                let augment = name_of(trainer.config().augment);
                note(format_args!(
                    "warning: --augment {augment} is done by `trainer train --resume`; brownian.torch does not vary images \
                     and refuses the run"
                ));
            }
            return Ok(());
        }
        let graph = trainer.graph();
        note(format_args!(
            "{}: {} weights on the chip, {:.2} M MACs a step",
            trainer.config().preset,
            graph.weight_count(),
            graph.macs() as f64 / 1e6
        ));
        let (batch, accumulate) = (trainer.config().batch, trainer.config().accumulate);
        let held = train::step_bytes(trainer.graph(), batch / accumulate);
        memory::check(held, &format!("a step of --batch {batch} with --accumulate {accumulate}"))?;
        let mut bar = TrainingBar::new(trainer.step(), trainer.done(), batch);
        let result = train::run(&mut trainer, &data, Some(&self.out), None, |event| bar.show_event(&event));
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
                note(format_args!("{}: {} steps, mean loss of the last {loss:.4}", self.out.display(), trainer.step()));
            }
            None => note(format_args!("{}: {} steps, all done before", self.out.display(), trainer.step())),
        }
        if let Some(last) = trainer.validation().last() {
            note(format_args!(
                "averaged network: loss {:.4} on training images, {:.4} on held-out ones",
                last.training, last.validation
            ));
        }
        Ok(())
    }

    fn fresh(&self) -> Result<(Trainer, Opened, Lock)> {
        self.network.check()?;
        let from = self.from.as_deref().map(checkpoint::load).transpose()?;
        let mut config = Config::usual();
        self.apply(&mut config);
        let held = || Error::file(&self.out, "already holds a run; continue it with --resume or choose another folder");
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        check_apart(&config.data, &self.out)?;
        let mut opened = training_data(&config.data, &config.data_options)?;
        let source = config.data.clone();
        let (name, spec) = match &from {
            Some(run) if !self.network.is_given() => (run.config.preset.clone(), learnable(run)?),
            _ => self.network.spec(opened.data.shape)?,
        };
        if spec.local().is_some() {
            opened.data.labels = None;
        }
        let data = &opened.data;
        let mut config = Config { network: Choice::Spec(spec), ..Config::new(&name, data) };
        if let Some(run) = from.as_ref().map(|run| &run.config) {
            // What the weights were learned for.
            (config.prediction, config.schedule) = (run.prediction, run.schedule);
            config.data_scale = run.data_scale;
            (config.timesteps, config.zero_terminal_snr) = (run.timesteps, run.zero_terminal_snr);
            config.process = run.process;
        }
        self.apply(&mut config);
        let settled = |run: &Checkpoint| run.config.process.is_binomial() || run.config.schedule.learned().is_some();
        let from_settled = from.as_ref().is_some_and(settled);
        config.settle(data, from_settled || self.process.timesteps.is_some(), self.weighting.is_some());
        if let Some((name, spec)) = self.fit.choose(&config)? {
            (config.preset, config.network) = (name, Choice::Spec(self.network.varied(&spec)?));
        }
        // What no model file can hold is not worth training.
        lower::check(&config.graph()?)?;
        let mut trainer = Trainer::new(Config { data: source, ..config })?;
        if let (Some(run), Some(folder)) = (&from, &self.from) {
            start_from(&mut trainer, run, folder)?;
        }
        let lock = Lock::take(&self.out)?;
        // Another process may have trained here since.
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        Ok((trainer, opened, lock))
    }

    /// Puts what was asked for into a configuration.
    fn apply(&self, config: &mut Config) {
        set(&mut config.data, &self.data);
        config.data_options = self.data_options.or(&config.data_options);
        set(&mut config.steps, &self.steps);
        if self.minutes.is_some() {
            config.minutes = self.minutes;
            // The time is the budget unless steps are given too.
            config.steps = self.steps.unwrap_or(MOST_STEPS);
        }
        set(&mut config.accumulate, &self.accumulate);
        if let Some(from) = &self.from {
            config.from = Some(from.display().to_string());
        }
        set(&mut config.batch, &self.batch);
        set(&mut config.lr, &self.lr);
        set(&mut config.seed, &self.seed);
        self.process.apply(config);
        set(&mut config.weighting, &self.weighting);
        set(&mut config.snr_gamma, &self.snr_gamma);
        set(&mut config.label_dropout, &self.label_dropout);
        set(&mut config.ema, &self.ema);
        set(&mut config.validation, &self.validation);
        set(&mut config.augment, &self.augment);
        set(&mut config.augment_share, &self.augment_share);
    }

    fn resumed(&self) -> Result<(Trainer, Opened, Lock)> {
        // A folder without a run gets no lock.
        checkpoint::load(&self.out)?;
        let lock = Lock::take(&self.out)?;
        let mut found = checkpoint::load(&self.out)?;
        let c = &mut found.config;
        if c.fine_tuning.is_some() {
            return Err(Error::file(
                &self.out,
                "is a fine-tuned run, which training on would undo; `trainer finetune --resume` continues one",
            ));
        }
        if found.packed_at.is_some() {
            return Err(Error::file(
                &self.out,
                "is a packed run, which has the averaged weights alone; start another with `trainer train --from`",
            ));
        }
        let c = &mut found.config;
        let extended = self.extend(c);
        let mut asked = c.clone();
        self.apply(&mut asked);
        if extended || self.minutes.is_some() {
            asked.steps = c.steps;
        }
        // Data are known by what they hold.
        asked.data.clone_from(&c.data);
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
        set(&mut c.data, &self.data);
        let opened = data_of(c, &self.out)?;
        let trainer = Trainer::from_checkpoint(found)?;
        if !extended {
            note(format_args!("{}: goes on from step {}", self.out.display(), trainer.step()));
        }
        if extended {
            let (config, step) = (trainer.config(), trainer.step());
            note(format_args!(
                "{}: goes on from step {step} to {} with a learning rate of {:.5}, which falls to zero again",
                self.out.display(),
                match config.minutes {
                    Some(minutes) => format!("{minutes} minutes"),
                    None => config.steps.to_string(),
                },
                config.learning_rate(step, trainer.done())
            ));
        }
        Ok((trainer, opened, lock))
    }

    /// Lengthens a run that is to make more steps or take more minutes; whether it is.
    fn extend(&self, config: &mut Config) -> bool {
        let steps = self.steps.filter(|steps| *steps > config.steps);
        let minutes = self.minutes.filter(|minutes| config.minutes.is_some_and(|before| *minutes > before));
        set(&mut config.steps, &steps);
        config.minutes = minutes.or(config.minutes);
        steps.is_some() || minutes.is_some()
    }
}

/// The network of a run, as one that can be trained on: that of a fine-tuned run has its norms folded away.
fn learnable(run: &Checkpoint) -> Result<Spec> {
    let spec = run.config.spec()?;
    match (&run.config.fine_tuning, &spec) {
        (Some(_), Spec::UNet(_)) => Variation { norm: Some(NormName::None), ..Variation::default() }.of(&spec),
        _ => Ok(spec),
    }
}

/// Starts from a run's weights, and says what came along.
fn start_from(trainer: &mut Trainer, run: &Checkpoint, folder: &Path) -> Result<()> {
    let (here, there) = (trainer.config().shape(), run.config.shape());
    if here != there {
        return Err(Error::file(folder, format!("learned images of {there}; these are {here}")));
    }
    let classes = trainer.start_from(run).map_err(|e| Error::file(folder, e))?;
    let tables = match classes {
        true => "with its classes",
        false => "with class tables that start anew, as the classes are others",
    };
    let norms = match run.config.fine_tuning {
        Some(_) => "; it is fine-tuned, so there are no norms to train with: try --lr 0.002",
        None => "",
    };
    note(format_args!("starts from step {} of {}, {tables}{norms}", run.step(), folder.display()));
    Ok(())
}
