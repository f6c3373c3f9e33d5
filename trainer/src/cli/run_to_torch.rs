//! `trainer run-to-torch`.
use super::run_data::{data_of, describe};
use crate::data::{self, arrays, Dataset};
use crate::files::{self, NewFolder, Pending};
use crate::import::safetensors;
use crate::report::note::note;
use crate::run::{checkpoint, Config};
use crate::{Error, Result};
use clap::Args;
use std::io::Write;
use std::path::{Path, PathBuf};

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
    /// is made if need be. It holds no other arrays of these names.
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
}

impl RunToTorch {
    /// Writes the weights of the newest checkpoint, and the data: all files or none.
    ///
    /// # Errors
    /// A run or data that cannot be read, a fine-tuning that is not finished, files that cannot be written or that
    /// would lie among those of the run or its data.
    pub fn run(self) -> Result<()> {
        self.check_apart()?;
        files::check_writable(&self.out)?;
        let run = checkpoint::load(&self.run)?;
        if run.unfinished.is_some() {
            let what = "is a fine-tuning that is not finished; `trainer finetune --resume` goes on";
            return Err(Error::file(&self.run, what));
        }
        if run.config.spec()?.local().is_some() {
            let what = "follows a local condition, which brownian.torch does not know; `trainer train` trains it";
            return Err(Error::file(&self.run, what));
        }
        if let Some(folder) = &self.data {
            check_source(folder, &run.config)?;
            arrays::check(folder, !run.config.axes.is_empty())?;
            checkpoint::check_writable(folder)?;
        }
        let bytes = safetensors::encode(&run, self.raw)?;
        let which = if self.raw { "latest" } else { "averaged" };
        let mut said = vec![format!("{}: the {which} weights of step {}", self.out.display(), run.step())];
        let mut made = None;
        let mut pending = vec![];
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
            made = Some(NewFolder::make(folder)?);
            pending = arrays::write(folder, &kept)?;
            said.insert(0, format!("{}: {} training images as arrays", folder.display(), kept.len()));
        }
        let write = |file: &mut dyn Write| {
            file.write_all(&bytes).map_err(|e| Error::file(&self.out, format!("cannot be written: {e}")))
        };
        pending.push(Pending::write(&self.out, write)?);
        pending.into_iter().try_for_each(Pending::commit)?;
        made.into_iter().for_each(NewFolder::keep);
        said.iter().for_each(note);
        Ok(())
    }

    /// Checks that what is written lies neither in the run nor in each other.
    fn check_apart(&self) -> Result<()> {
        let wrong = |option: &str, path: &Path, what: &str| {
            Err(Error::Usage(format!("{option} {}: {what}; choose another place", path.display())))
        };
        let data = self.data.as_deref().map(|folder| ("--data", folder));
        for (option, path) in [("--out", &*self.out)].into_iter().chain(data) {
            if files::lies_in(path, &self.run) {
                return wrong(option, path, "lies in the folder of the run");
            }
        }
        match &self.data {
            Some(folder) if files::lies_in(&self.out, folder) => {
                wrong("--out", &self.out, "lies in the folder of --data, which is of arrays alone")
            }
            Some(folder) if files::lies_in(folder, &self.out) => {
                wrong("--data", folder, "lies below the file of --out")
            }
            _ => Ok(()),
        }
    }
}

/// Checks that the arrays in `folder` change nothing of the data that the run was trained on.
fn check_source(folder: &Path, run: &Config) -> Result<()> {
    // A data set that is built in is in no file.
    let source = data::recorded(&run.data);
    let source = Path::new(&source);
    let arrays = [arrays::IMAGES, arrays::LABELS].map(|name| folder.join(name));
    if source.is_dir() && files::lies_in(folder, source) {
        return Err(Error::Usage(format!(
            "--data {}: lies in the folder of the run's own data, {}; choose another place",
            folder.display(),
            source.display()
        )));
    }
    let written = arrays.each_ref().map(|path| ("--data", &**path));
    match source.exists() {
        true => files::check_apart(&[source], &written),
        false => Ok(()),
    }
}
