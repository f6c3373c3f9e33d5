//! The `trainer` program: reads the command line and reports errors as one line.
use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    match brownian_trainer::cli::Cli::parse().run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            brownian_trainer::report::note::note(format_args!("error: {error}"));
            ExitCode::from(error.exit_code())
        }
    }
}
