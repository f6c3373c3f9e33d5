//! `cargo xtask bench`: the kernels' instructions on every emulated core, beside a baseline.

mod bars;
mod baseline;
mod cycles;
mod evaluation;
mod table;

use crate::machines::{Machine, MACHINES};
use crate::{emulator, firmware, parallel};
use anyhow::{bail, ensure, Context, Result};
use baseline::Baseline;
use clap::Args;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An emulator run's time limit.
const LIMIT: Duration = Duration::from_secs(120);

/// What to run.
#[derive(Debug, Default, Args)]
pub struct Options {
    /// Only this core: M4, say; a wrong name lists them
    #[arg(long, value_name = "NAME")]
    core: Option<String>,
    /// Only the kernels whose name contains this
    #[arg(long, value_name = "NAME")]
    kernel: Option<String>,
    /// Print an array of {kernel, core, macs, instructions} instead of the table
    #[arg(long)]
    json: bool,
    /// Count the portable kernels instead of each core's own
    #[arg(long)]
    portable: bool,
    /// Instead of counting, compare each core's kernels with the portable ones on thousands of random shapes
    #[arg(long, conflicts_with_all = ["json", "kernel", "portable"])]
    check: bool,
    /// Instead of counting, estimate cycles of M0+, M4 and M33 from a trace of the blocks that run
    #[arg(long, conflicts_with_all = ["core", "json", "kernel", "portable", "check"])]
    cycles: bool,
    /// Only whole evaluations of a network, on one core and on two; a full run has them too
    #[arg(long, conflicts_with_all = ["core", "json", "kernel", "portable", "check", "cycles"])]
    evaluation: bool,
}

/// One kernel on one core.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub struct Row {
    /// Name and shape, as in the baseline.
    pub kernel: String,
    /// As in the baseline.
    pub core: &'static str,
    /// Nominal products; for `add` and `gate`, elements.
    pub macs: u64,
    /// Exact, without the call.
    pub instructions: u64,
}

/// Every core's kernels against the portable ones.
pub fn check() -> Result<()> {
    run(&Options { check: true, ..Options::default() })
}

/// The whole table, with its bars.
pub fn count() -> Result<()> {
    run(&Options::default())
}

/// Builds and runs the bench firmware, or the check firmware, and prints what it found.
///
/// Fails when an output differs from the portable kernel's or, in a full run, when a bar is missed.
pub fn run(options: &Options) -> Result<()> {
    let chosen = cores(options.core.as_deref(), options.check)?;
    for (machine, _) in &chosen {
        emulator::require(machine)?;
        firmware::require_target(machine.target)?;
    }
    if options.cycles {
        return estimate();
    }
    if options.evaluation {
        return evaluation::run();
    }
    let bin = if options.check { "check" } else { "bench" };
    // Building one after another, since cargo uses all cores; running side by side.
    let mut jobs = Vec::new();
    for (machine, core) in chosen {
        jobs.push((machine, core, build(machine, bin, options.portable)?));
    }
    let outputs = parallel::map(&jobs, |(machine, _, elf)| emulator::run(machine, elf, &[], LIMIT));
    let mut rows = Vec::new();
    for ((machine, core, _), output) in jobs.iter().zip(outputs) {
        let output = output?;
        rows.extend(parse(&output, core)?);
        if let Some(line) = output.lines().find_map(|line| line.strip_prefix("check|")) {
            println!("{}: equal to the portable kernels: {line}", machine.name);
        }
    }
    if options.check {
        return Ok(());
    }
    rows.retain(|row| options.kernel.as_ref().is_none_or(|name| row.kernel.contains(name)));
    ensure!(!rows.is_empty(), "no kernel's name contains '{}'", options.kernel.as_deref().unwrap_or(""));
    if options.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
        return Ok(());
    }
    let baseline = Baseline::read()?;
    println!("{}", table::render(&rows, &baseline));
    if options.kernel.is_some() || options.portable {
        return Ok(());
    }
    bars::check(&rows, &baseline)?;
    if options.core.is_none() {
        evaluation::run()?;
    }
    Ok(())
}

/// Prints estimated cycles beside instructions.
fn estimate() -> Result<()> {
    let mut columns = Vec::new();
    for (name, core, title) in cycles::CORES {
        let machine = crate::machines::find(name)?;
        let elf = build(machine, "bench", false)?;
        let rows = parse(&emulator::run(machine, &elf, &["trace".to_string()], LIMIT)?, title)?;
        columns.push((title, rows, cycles::estimate(machine, core, &elf)?));
    }
    println!("{}", table::render_cycles(&columns));
    Ok(())
}

/// The rows that a firmware printed.
fn parse(output: &str, core: &'static str) -> Result<Vec<Row>> {
    ensure!(output.contains("done"), "{core}: the firmware stopped early");
    let mut rows = Vec::new();
    for line in output.lines() {
        if let ["row", kernel, macs, instructions, verdict] = line.split('|').collect::<Vec<_>>()[..] {
            ensure!(verdict == "equal", "{core}, {kernel}: the output is not the portable kernel's");
            let kernel = kernel.to_string();
            rows.push(Row { kernel, core, macs: macs.parse()?, instructions: instructions.parse()? });
        }
    }
    Ok(rows)
}

/// The machines to run, with the names of their cores; checks also run on those that are not counted.
fn cores(name: Option<&str>, check: bool) -> Result<Vec<(&'static Machine, &'static str)>> {
    let core = |machine: &Machine| machine.bench.or(check.then_some(machine.name));
    let cores: Vec<_> = MACHINES.iter().filter_map(|machine| Some((machine, core(machine)?))).collect();
    let is_chosen = |(machine, core): &&(&Machine, &str)| {
        name.is_none_or(|name| name.eq_ignore_ascii_case(core) || name == machine.name)
    };
    let chosen: Vec<_> = cores.iter().filter(is_chosen).copied().collect();
    if chosen.is_empty() {
        let names: Vec<_> = cores.iter().map(|c| c.1).collect();
        bail!("no emulated core '{}': choose one of {}", name.unwrap_or(""), names.join(", "));
    }
    Ok(chosen)
}

/// Builds `bin` of `boards/bench` and returns the path of a copy that later builds leave alone.
fn build(machine: &Machine, bin: &str, portable: bool) -> Result<PathBuf> {
    build_with(machine, bin, portable, None)
}

/// [`build`] with a model in it. Only the bench of kernels is built without a second core, as most firmware is.
fn build_with(machine: &Machine, bin: &str, portable: bool, model: Option<&Path>) -> Result<PathBuf> {
    let mut command = firmware::cargo_command("boards/bench", &["build", "--quiet", "--release", "--bin", bin]);
    command.args(machine.cargo_args(portable));
    if bin != "bench" {
        command.args(["--features", "two-cores"]);
    }
    if let Some(model) = model {
        command.env("BROWNIAN_MODEL", model);
    }
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "building {bin} for {} failed", machine.name);
    let built = firmware::target_dir().join(machine.target).join("release").join(bin);
    let kept =
        firmware::target_dir().join("elf").join(format!("{bin}-{}-{}.elf", machine.name, machine.backend(portable)));
    std::fs::create_dir_all(kept.parent().expect("has a parent"))?;
    std::fs::copy(&built, &kept).with_context(|| format!("cannot copy {}", built.display()))?;
    Ok(kept)
}
