//! `cargo xtask ci`: everything that must hold before a change is taken.

use crate::firmware::{self, cargo};
use crate::{bench, no_panic, pico2, qemu};
use anyhow::Result;
use clap::Args;
use std::time::Instant;

/// What to leave out.
#[derive(Debug, Args)]
pub struct Options {
    /// The tests have been run already
    #[arg(long)]
    tested: bool,
}

/// Folders with a workspace of their own.
const WORKSPACES: [&str; 4] = [".", "boards/qemu", "boards/pico2", "boards/bench"];

/// Runs every check, stops at the first that fails.
pub fn run(options: &Options) -> Result<()> {
    let steps: [(&str, &dyn Fn() -> Result<()>); 9] = [
        ("format", &format),
        ("clippy", &clippy),
        ("tests", &|| if options.tested { Ok(()) } else { host(&["test", "--quiet"], "cargo test") }),
        ("documentation", &documentation),
        ("link check against panics", &no_panic::run),
        ("emulated cores", &|| qemu::run(&qemu::Options::default())),
        ("pico2", &pico2::run),
        ("kernels on emulated cores", &bench::check),
        ("bench", &bench::count),
    ];
    let start = Instant::now();
    for (name, step) in steps {
        let begin = Instant::now();
        step()?;
        eprintln!("== {name}: ok after {} s", begin.elapsed().as_secs());
    }
    eprintln!("== all: ok after {} s", start.elapsed().as_secs());
    Ok(())
}

fn format() -> Result<()> {
    WORKSPACES
        .iter()
        .try_for_each(|folder| cargo(folder, &["fmt", "--all", "--check"], &format!("cargo fmt in {folder}")))
}

fn clippy() -> Result<()> {
    host(&["clippy", "--quiet", "--workspace", "--all-targets", "--", "-D", "warnings"], "cargo clippy")?;
    for machine in [crate::machines::find("m4")?, crate::machines::find("rv32")?] {
        firmware::require_target(machine.target)?;
        let mut args: Vec<String> = ["clippy", "--quiet", "--release", "--bins"].map(String::from).into();
        args.extend(machine.cargo_args(false));
        args.extend(["--", "-D", "warnings"].map(String::from));
        cargo("boards/qemu", &args, "cargo clippy in boards/qemu")?;
    }
    cargo("boards/pico2", &["clippy", "--quiet", "--release", "--", "-D", "warnings"], "cargo clippy in boards/pico2")
}

fn documentation() -> Result<()> {
    host(&["doc", "--quiet", "--workspace", "--no-deps"], "cargo doc")
}

/// Cargo in the root workspace, with its own build outputs.
fn host(args: &[&str], what: &str) -> Result<()> {
    firmware::host_cargo(args, what)
}
