//! `cargo xtask ci`: everything that must hold before a change is taken.

use crate::{bench, boards, docs, firmware, lint, no_panic, packages, page, pico2, python, qemu, size, template};
use anyhow::{Context, Result};
use clap::Args;
use std::time::Instant;

/// What to leave out.
#[derive(Debug, Args)]
pub struct Options {
    /// The tests have been run already
    #[arg(long)]
    tested: bool,
    /// Only the steps whose name contains this
    #[arg(long, value_name = "NAME")]
    step: Option<String>,
}

/// A check, and its name.
type Step = (&'static str, fn() -> Result<()>);

/// The one that `--tested` leaves out.
const TESTS: &str = "tests";

/// Every check, the quick ones first; a new one is a line here.
const STEPS: &[Step] = &[
    ("format", lint::format),
    ("pages", docs::run),
    ("clippy", lint::clippy),
    ("documentation", lint::documentation),
    (TESTS, || firmware::host_cargo(&["test", "--quiet"], "cargo test")),
    ("packages", packages::run),
    ("link check against panics", no_panic::run),
    ("code size", size::run),
    ("pico2", pico2::run),
    ("template", template::run),
    ("boards", boards::check),
    ("page", page::check),
    ("kernels on emulated cores", bench::check),
    ("bench", bench::count),
    ("emulated cores", || qemu::run(&qemu::Options::default())),
    ("python", python::run),
];

/// Runs the checks, stops at the first that fails.
pub fn run(options: &Options) -> Result<()> {
    let is_wanted = |(name, _): &&Step| {
        !(options.tested && *name == TESTS) && options.step.as_ref().is_none_or(|step| name.contains(step.as_str()))
    };
    let start = Instant::now();
    for (name, step) in STEPS.iter().filter(is_wanted) {
        let begin = Instant::now();
        step().with_context(|| format!("step '{name}'"))?;
        eprintln!("== {name}: ok after {} s", begin.elapsed().as_secs());
    }
    eprintln!("== all: ok after {} s", start.elapsed().as_secs());
    Ok(())
}
