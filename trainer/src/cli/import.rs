//! `trainer import`.
use super::network::NetworkArgs;
use super::process::ProcessArgs;
use super::run_data::{check_apart, describe, training_data};
use crate::data::Options;
use crate::import::{self, safetensors};
use crate::nets::Choice;
use crate::report::note::note;
use crate::run::{checkpoint, Checkpoint, Config, Lock};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The weights: a safetensors file with one tensor for each parameter, by its name.
    #[arg(value_name = "FILE.safetensors")]
    file: PathBuf,
    /// Folder of the new run, which holds none yet.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Of a file that does not say what it was trained on: the training data, as `train` takes them.
    #[arg(long)]
    data: Option<String>,
    #[command(flatten)]
    network: NetworkArgs,
    #[command(flatten)]
    process: ProcessArgs,
    #[command(flatten)]
    data_options: Options,
}

impl Import {
    /// Makes a run of the file. Where the file holds the configuration of a run, as those of `run-to-torch` and of
    /// `brownian.torch` do, it is that run's; otherwise the options say what it is, as for `train`.
    ///
    /// # Errors
    /// A file, tensors or options that do not fit together, or a folder that holds a run; nothing is written then.
    pub fn run(self) -> Result<()> {
        self.network.check()?;
        let held = || Error::file(&self.out, "already holds a run; choose another folder");
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        checkpoint::check_writable(&self.out)?;
        let run = self.imported()?;
        let lock = Lock::take(&self.out)?;
        // Another process may have written there since.
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        checkpoint::save(&self.out, &run)?;
        drop(lock);
        note(format_args!("{}: {} with weights of step {}", self.out.display(), run.config.preset, run.step()));
        Ok(())
    }

    fn imported(&self) -> Result<Checkpoint> {
        let bytes = std::fs::read(&self.file).map_err(|e| Error::file(&self.file, format!("cannot be read: {e}")))?;
        let in_file = |e: Error| Error::file(&self.file, e);
        let file = safetensors::File::decode(&bytes).map_err(in_file)?;
        let (config, step) = match file.header.clone() {
            Some(header) => (self.of_file(header.config)?, header.step),
            None => (self.of_options()?, 0),
        };
        config.check().map_err(in_file)?;
        let [params, stats] = file.weights(&config.graph().map_err(in_file)?).map_err(in_file)?;
        import::run(config, params, stats, step).map_err(in_file)
    }

    /// The file's own configuration, which options may confirm but not change.
    fn of_file(&self, config: Config) -> Result<Config> {
        let what = "the file says itself what it was trained on; leave the option out";
        if self.data.is_some() {
            return Err(Error::Usage(format!("--data: {what}")));
        }
        if let Some(option) = self.process.given() {
            return Err(Error::Usage(format!("{option}: {what}")));
        }
        match self.network.differs(&config)? {
            Some(option) => Err(Error::Usage(format!(
                "{option} is another network than the one in {}; leave it out",
                self.file.display()
            ))),
            None => Ok(config),
        }
    }

    /// A configuration as `train` makes it.
    fn of_options(&self) -> Result<Config> {
        let Some(source) = &self.data else {
            return Err(Error::file(
                &self.file,
                "does not say what it was trained on; give --data, --net and what else differs from the usual, as for \
                 `trainer train`",
            ));
        };
        check_apart(source, &self.out)?;
        let opened = training_data(source, &self.data_options)?;
        describe(&opened);
        let (name, spec) = self.network.spec(opened.data.shape)?;
        let mut config = Config { network: Choice::Spec(spec), ..Config::new(&name, &opened.data) };
        config.data.clone_from(source);
        config.data_options = self.data_options.or(&config.data_options);
        self.process.apply(&mut config);
        config.settle(&opened.data, self.process.timesteps.is_some(), false);
        Ok(config)
    }
}
