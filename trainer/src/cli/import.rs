//! `trainer import`.
use super::network::NetworkArgs;
use super::options::name_of;
use super::process::ProcessArgs;
use super::run_data::{check_apart, describe, training_data};
use crate::data::{Axis, Options};
use crate::graph::Shape;
use crate::import::onnx::{self, Imported, Timesteps};
use crate::import::{self, safetensors};
use crate::nets::{Choice, Spec};
use crate::process::Prediction;
use crate::report::note::note;
use crate::run::{checkpoint, Checkpoint, Config, Lock};
use crate::{Error, Result};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// How the name of an ONNX file ends.
const ONNX: &str = "onnx";

/// Arguments of `trainer import`.
#[derive(Debug, Args)]
pub struct Import {
    /// The weights: a safetensors file with one tensor for each parameter, by its name, or an ONNX file (`.onnx`) of a
    /// network of convolutions with its weights.
    #[arg(value_name = "FILE.safetensors|FILE.onnx")]
    file: PathBuf,
    /// Folder of the new run, which holds none yet.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
    /// Of a file that does not say what it was trained on: the training data, as `train` takes them.
    #[arg(long)]
    data: Option<String>,
    /// Of an ONNX file: the number that its input t has for the first timestep, 0 or 1 [default: 0]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=1))]
    first_timestep: Option<u8>,
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

    fn is_onnx(&self) -> bool {
        self.file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case(ONNX))
    }

    fn imported(&self) -> Result<Checkpoint> {
        if self.is_onnx() {
            return self.of_onnx();
        }
        if self.first_timestep.is_some() {
            let what = "--first-timestep: it is of an ONNX file, whose network counts in its own way; leave it out";
            return Err(Error::Usage(what.into()));
        }
        let bytes = std::fs::read(&self.file).map_err(|e| Error::file(&self.file, format!("cannot be read: {e}")))?;
        let in_file = |e: Error| Error::file(&self.file, e);
        let file = safetensors::File::decode(&bytes).map_err(in_file)?;
        let (config, step) = match file.header.clone() {
            Some(header) => (self.of_file(header.config)?, header.step),
            None => {
                self.source()?;
                self.ask_prediction("a file without a configuration")?;
                (self.of_options(|shape| self.network.spec(shape))?, 0)
            }
        };
        let [params, stats] = file.weights(&config.graph().map_err(in_file)?).map_err(in_file)?;
        import::run(config, params, stats, step).map_err(in_file)
    }

    /// The file's own configuration, which options may confirm but not change.
    fn of_file(&self, config: Config) -> Result<Config> {
        let what = "the file says itself what it was trained on; leave the option out";
        if self.data.is_some() {
            return Err(Error::Usage(format!("--data: {what}")));
        }
        if let Some(option) = self.process.given().or(self.data_options.given()) {
            return Err(Error::Usage(format!("{option}: {what}")));
        }
        let wrong =
            |e| Error::file(&self.file, format!("its configuration is wrong, as options of `trainer train`: {e}"));
        config.check().map_err(wrong)?;
        match self.network.differs(&config)? {
            Some(option) => Err(Error::Usage(format!(
                "{option} is another network than the one in {}; leave it out",
                self.file.display()
            ))),
            None => Ok(config),
        }
    }

    /// A network that the file holds with its weights; the options say the rest, as for `train`.
    fn of_onnx(&self) -> Result<Checkpoint> {
        if self.network.is_given() {
            let what =
                "--preset, --net, --norm, --width, --blocks: an ONNX file holds its network; leave the option out";
            return Err(Error::Usage(what.into()));
        }
        self.ask_prediction("an ONNX file")?;
        self.source()?;
        let first = self.first_timestep.map_or(0, usize::from);
        let read = |count: usize| onnx::read(&self.file, Timesteps { count, first });
        // What is wrong with the file is known before the data are read; these may say another number of timesteps.
        let mut usual = Config::usual();
        self.process.apply(&mut usual);
        let mut imported = read(usual.timesteps)?;
        let mut config = self.of_options(|shape| self.network_of(&imported, shape))?;
        if config.timesteps != usual.timesteps {
            imported = read(config.timesteps)?;
            config.network = Choice::Spec(imported.spec);
        }
        let counts = |axes: &[Axis]| axes.iter().map(|axis| axis.classes.len()).collect::<Vec<_>>();
        let (network, data) = (counts(&imported.axes), counts(&config.axes));
        match config.axes.is_empty() {
            true => config.axes = imported.axes,
            false if network != data => {
                return Err(Error::file(
                    &self.file,
                    format!(
                    "knows {network:?} classes on its axes, but the data have {data:?}; a table of classes has a row \
                         a class and a last one for none, and for a network without classes give `--labels none`"
                ),
                ))
            }
            false => {}
        }
        import::run(config, imported.params, vec![], 0).map_err(|e| Error::file(&self.file, e))
    }

    /// Refuses to guess what a network predicts whose file, which is `which`, does not say it.
    fn ask_prediction(&self, which: &str) -> Result<()> {
        if self.process.says_prediction() {
            return Ok(());
        }
        let choices: Vec<String> = Prediction::value_variants().iter().map(|choice| name_of(*choice)).collect();
        Err(Error::Usage(format!(
            "--prediction: {which} does not say what its network predicts; give one of {}. Most networks predict epsilon, \
             the noise",
            choices.join(", ")
        )))
    }

    /// The network of an ONNX file and its name, for images of `shape`.
    fn network_of(&self, imported: &Imported, shape: Shape) -> Result<(String, Spec)> {
        if imported.image != shape {
            let what = format!("takes images of {}, but the data have {shape}", imported.image);
            return Err(Error::file(&self.file, what));
        }
        let name = self.file.file_stem().map(|name| name.to_string_lossy().into_owned());
        Ok((name.unwrap_or_default(), imported.spec.clone()))
    }

    /// What `--data` says.
    fn source(&self) -> Result<&String> {
        let network = if self.is_onnx() { "" } else { ", --net" };
        self.data.as_ref().ok_or_else(|| {
            let what = format!(
                "does not say what it was trained on; give --data{network} and what else differs from the usual, as for \
                 `trainer train`"
            );
            Error::file(&self.file, what)
        })
    }

    /// A configuration as `train` makes it, with the network that `network` gives for the images.
    fn of_options(&self, network: impl FnOnce(Shape) -> Result<(String, Spec)>) -> Result<Config> {
        let source = self.source()?;
        check_apart(source, &self.out)?;
        let opened = training_data(source, &self.data_options)?;
        describe(&opened);
        let (name, spec) = network(opened.data.shape)?;
        let mut config = Config { network: Choice::Spec(spec), ..Config::new(&name, &opened.data) };
        config.data.clone_from(source);
        config.data_options = self.data_options.or(&config.data_options);
        self.process.apply(&mut config);
        config.settle(&opened.data, self.process.timesteps.is_some(), false);
        config.check()?;
        Ok(config)
    }
}
