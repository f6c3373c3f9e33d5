//! `trainer pack`.
use crate::report::note::note;
use crate::run::{checkpoint, Lock};
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer pack`.
#[derive(Debug, Args)]
pub struct Pack {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Folder of the packed run, which holds none yet.
    #[arg(long, value_name = "RUN")]
    out: PathBuf,
}

impl Pack {
    /// Writes the averaged weights and the configuration of the newest checkpoint as a run of its own. It can be exported,
    /// evaluated, fine-tuned and trained from, but not resumed.
    ///
    /// # Errors
    /// A run that cannot be read, a fine-tuning that is not finished, or a folder that holds a run.
    pub fn run(self) -> Result<()> {
        let run = checkpoint::load(&self.run)?;
        if run.unfinished.is_some() {
            let what = "is a fine-tuning that is not finished; `trainer finetune --resume` goes on";
            return Err(Error::file(&self.run, what));
        }
        let held = || Error::file(&self.out, "already holds a run; choose another folder");
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        let lock = Lock::take(&self.out)?;
        // Another process may have written there since.
        if checkpoint::exists(&self.out) {
            return Err(held());
        }
        let packed = run.packed();
        checkpoint::save(&self.out, &packed)?;
        drop(lock);
        note(format_args!("{}: the averaged weights of step {}", self.out.display(), packed.step()));
        Ok(())
    }
}
