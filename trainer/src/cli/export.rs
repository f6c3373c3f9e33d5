//! `trainer export`.
use crate::inspect::Report;
use crate::model_file::ModelFile;
use crate::{checkpoint, export, files, Result};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The model file to write.
    #[arg(long, value_name = "FILE.brn")]
    out: PathBuf,
    /// A sampling plan, `[NAME=]METHOD:STEPS[:OPTION...]`, for example `ddim:50`, `ddpm:1000:variance=beta-tilde` or
    /// `fast=dpm:10:first=0.96:spacing=karras`; may be given several times.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
}

impl Export {
    /// Exports the newest checkpoint of the run.
    ///
    /// # Errors
    /// Bad plans or files, or a network that the format cannot hold.
    pub fn run(self) -> Result<()> {
        let plans = if self.plans.is_empty() { export::DEFAULT_PLANS.map(str::to_owned).to_vec() } else { self.plans };
        crate::lower::plans::parse_all(&plans)?;
        let bytes = export::export(&checkpoint::load(&self.run)?, &plans)?;
        files::write_atomically(&self.out, &bytes)?;
        let file = ModelFile::from_bytes(&bytes);
        eprintln!("{}: {}", self.out.display(), Report::new(&file.model()?, bytes.len()).needs());
        Ok(())
    }
}
