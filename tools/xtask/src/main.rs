//! Developer tools of the Brownian workspace: `cargo xtask <COMMAND>`.

mod emulator;
mod firmware;
mod machines;
mod qemu;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Developer tools of the Brownian workspace", arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Build the firmware, run it on every emulated core and compare its bytes with the host's
    Qemu(qemu::Options),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Qemu(options) => qemu::run(&options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
