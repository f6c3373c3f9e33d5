//! `trainer inspect`.
use super::output;
use crate::inspect::Report;
use crate::{Error, Result};
use brownian::host::OwnedModel;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The model file.
    #[arg(value_name = "FILE.brn")]
    file: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Prints the report.
    ///
    /// # Errors
    /// A file that cannot be read or is no model.
    pub fn run(self) -> Result<()> {
        let file = OwnedModel::read(&self.file)?;
        let report = Report::new(&file.model(), file.bytes().len());
        if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Invalid(e.to_string()))?;
            output::print(&text)
        } else {
            output::print(&report.to_string())
        }
    }
}
