//! `trainer run-to-torch`.
use super::run_data::{data_of, describe};
use crate::data::{arrays, Dataset};
use crate::import::safetensors;
use crate::report::note::note;
use crate::run::checkpoint;
use crate::{files, Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer run-to-torch`.
#[derive(Debug, Args)]
pub struct RunToTorch {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The file to write: one tensor for each parameter, and in its metadata what the run is. `import` makes a run of it
    /// again.
    #[arg(long, value_name = "FILE.safetensors")]
    out: PathBuf,
    /// Take the latest weights instead of their average.
    #[arg(long)]
    raw: bool,
    /// Also write the run's training images and labels as the arrays `images.npy` and `labels.npy` of this folder, which
    /// is made if need be.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl RunToTorch {
    /// Writes the weights of the newest checkpoint, and the data.
    ///
    /// # Errors
    /// A run or data that cannot be read, a fine-tuning that is not finished, or files that cannot be written.
    pub fn run(self) -> Result<()> {
        files::check_writable(&self.out)?;
        let run = checkpoint::load(&self.run)?;
        if run.unfinished.is_some() {
            let what = "is a fine-tuning that is not finished; `trainer finetune --resume` goes on";
            return Err(Error::file(&self.run, what));
        }
        let bytes = safetensors::encode(&run, self.raw)?;
        if let Some(folder) = &self.data {
            let opened = data_of(&run.config, &self.run)?;
            describe(&opened);
            let kept = match run.config.validation {
                0.0 => opened.data,
                share => {
                    let [kept, _]: [Dataset; 2] = opened.data.hold_out(share);
                    kept
                }
            };
            arrays::write(folder, &kept)?;
            note(format_args!("{}: {} training images as arrays", folder.display(), kept.len()));
        }
        files::write_atomically(&self.out, &bytes)?;
        let which = if self.raw { "latest" } else { "averaged" };
        note(format_args!("{}: the {which} weights of step {}", self.out.display(), run.step()));
        Ok(())
    }
}
