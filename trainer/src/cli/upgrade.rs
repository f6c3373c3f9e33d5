//! `trainer upgrade`.
use crate::report::note::note;
use crate::{files, upgrade, Error, Result};
use brownian::format::VERSION;
use clap::Args;
use std::path::{Path, PathBuf};

/// Arguments of `trainer upgrade`.
#[derive(Debug, Args)]
pub struct Upgrade {
    /// A model file of format version 3 or later.
    #[arg(value_name = "OLD.brn")]
    file: PathBuf,
    /// The model file to write, with the same weights and in today's format.
    #[arg(long, value_name = "NEW.brn")]
    out: PathBuf,
}

impl Upgrade {
    /// Writes the model in today's format; one that has it already is copied.
    ///
    /// # Errors
    /// A file that cannot be read or upgraded, or an output that is the input: the old file is the way back.
    pub fn run(self) -> Result<()> {
        let same =
            |a: &Path, b: &Path| a == b || matches!((a.canonicalize(), b.canonicalize()), (Ok(a), Ok(b)) if a == b);
        if same(&self.file, &self.out) {
            return Err(Error::Usage(format!(
                "--out {} is the model to upgrade: give another file, the old one stays as it is",
                self.out.display()
            )));
        }
        let bytes = std::fs::read(&self.file).map_err(|e| Error::file(&self.file, format!("cannot be read: {e}")))?;
        let (found, upgraded) = upgrade::upgrade(&bytes).map_err(|e| Error::file(&self.file, e))?;
        files::write_atomically(&self.out, &upgraded)?;
        let (file, out) = (self.file.display(), self.out.display());
        if found == VERSION {
            note(format_args!("{file} has format version {VERSION} already: {out} is a copy"));
        } else {
            note(format_args!("{out}: format version {VERSION}, from version {found}"));
        }
        Ok(())
    }
}
