//! The command line, one file a subcommand.
mod train;

use crate::Result;
use clap::{Parser, Subcommand};

/// Diffusion models for microcontrollers: train, quantize, export, sample.
#[derive(Debug, Parser)]
#[command(name = "trainer", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Train a network.
    Train(train::Train),
}

impl Cli {
    /// Does what the command line asks.
    ///
    /// # Errors
    /// Anything that goes wrong, as one line.
    pub fn run(self) -> Result<()> {
        match self.command {
            Command::Train(command) => command.run(),
        }
    }
}
