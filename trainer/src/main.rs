//! The `trainer` program: reads the command line and reports errors as one line.
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match brownian_trainer::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}
