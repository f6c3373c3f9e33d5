//! `trainer inspect`.
use super::output;
use crate::{Error, Result};
use brownian::host::boards::Board;
use brownian::host::{BoardReport, OwnedModel, Report};
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer inspect`.
#[derive(Debug, Args)]
pub struct Inspect {
    /// The model file.
    #[arg(value_name = "FILE.brn")]
    file: PathBuf,
    /// Say whether this board has room for the model and how long it takes there, such as `pico`; an error where it does
    /// not fit. Another name lists the boards.
    #[arg(long, value_name = "NAME", value_parser = Board::find)]
    board: Option<&'static Board>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl Inspect {
    /// Prints the report.
    ///
    /// # Errors
    /// A file that cannot be read or is no model, or that does not fit the board.
    pub fn run(self) -> Result<()> {
        let file = OwnedModel::read(&self.file)?;
        let mut report = Report::new(&file.model(), file.bytes().len());
        report.board = self.board.map(|board| BoardReport::new(board, &file.model(), file.bytes().len()));
        if self.json {
            let text = serde_json::to_string_pretty(&report).map_err(|e| Error::Invalid(e.to_string()))?;
            output::print(&text)?;
        } else if let Some(board) = &report.board {
            output::print(&board.to_string())?;
        } else {
            output::print(&report.to_string())?;
        }
        match report.board.and_then(|board| board.excess.map(|excess| (board.title, excess))) {
            None => Ok(()),
            Some((title, excess)) => {
                Err(Error::Invalid(format!("{} does not fit the {title}: {excess}", self.file.display())))
            }
        }
    }
}
