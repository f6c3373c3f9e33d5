//! `cargo xtask qemu`: the firmware on every emulated core, compared with the host step by step.

mod cases;
mod compare;
mod failures;
mod report;
mod table;

use crate::firmware::{self, Build, Sizes};
use crate::machines::{self, Machine};
use crate::{emulator, parallel};
use anyhow::{Context, Result};
use brownian::host::OwnedModel;
use brownian_tests::{condition, draw, golden, shipped_model};
use clap::Args;
use report::Report;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// An emulator run's time limit.
const LIMIT: Duration = Duration::from_secs(300);

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this core, by its name in `boards/machines`
    #[arg(long, value_name = "NAME")]
    core: Option<String>,
    /// How many seeds, one image each
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: u64,
    /// The plan to run [default: the model's first]
    #[arg(long, value_name = "NAME")]
    plan: Option<String>,
    /// Another model file than the shipped ones, for every core
    #[arg(long, value_name = "FILE.brn")]
    model: Option<PathBuf>,
    /// Only the portable kernels [default: each core's own, and the portable ones on one core]
    #[arg(long)]
    portable: bool,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { core: None, seeds: 8, plan: None, model: None, portable: false, json: false }
    }
}

/// One firmware on one machine.
struct Job {
    machine: &'static Machine,
    backend: &'static str,
    elf: PathBuf,
    /// Only on the first job of a machine.
    failures: Option<PathBuf>,
    /// Only on the first job of a machine.
    edits: Option<PathBuf>,
    sizes: Sizes,
    code: u64,
}

/// Builds the firmware, runs it, compares it with the host and prints the figures.
pub fn run(options: &Options) -> Result<()> {
    let machines: Vec<&'static Machine> = match &options.core {
        Some(name) => vec![machines::find(name)?],
        None => machines::MACHINES.iter().collect(),
    };
    for machine in &machines {
        emulator::require(machine)?;
    }
    let hosts = host_runs(options, &machines)?;
    let jobs = build(options, &machines)?;
    let expected = cases::Expected::of(options.model.as_deref(), &machines)?;
    let reports = parallel::map(&jobs, |job| {
        let (plan, chains) = &hosts[job.machine.model];
        let report = measure(options, job, plan, chains).and_then(|report| {
            if let Some(elf) = &job.edits {
                cases::check(job.machine, elf, &expected)?;
            }
            Ok(report)
        });
        report.with_context(|| format!("{} ({})", job.machine.name, job.backend))
    });
    let mut rows = Vec::new();
    let mut failed = None;
    for (job, report) in jobs.iter().zip(reports) {
        match report {
            Ok(report) => rows.push(table::Row::new(job.machine, job.backend, &report, job.sizes, job.code)),
            Err(error) => {
                eprintln!("error: {error:#}");
                failed = Some(anyhow::anyhow!("not all cores gave the host's bytes"));
            }
        }
    }
    table::print(&rows, options.json)?;
    failed.map_or(Ok(()), Err)
}

/// The host's own chains of every model involved, with the plan they ran.
type HostRuns = BTreeMap<&'static str, (String, Vec<compare::HostChain>)>;

fn host_runs(options: &Options, machines: &[&Machine]) -> Result<HostRuns> {
    let mut runs = HostRuns::new();
    for machine in machines {
        if runs.contains_key(machine.model) {
            continue;
        }
        let path = options.model.clone().unwrap_or_else(|| shipped_model(machine.model));
        let host = OwnedModel::read(&path)?;
        let model = host.model();
        let plan = match &options.plan {
            Some(plan) => plan.clone(),
            None => model.plans().next().context("the model has no plan")?.name().to_string(),
        };
        let first = *golden::SEEDS.start();
        let seeds: Vec<u64> = (first..first + options.seeds).collect();
        let chains = parallel::map(&seeds, |&seed| {
            let chain = draw(&model, &plan, condition(&model, seed), seed)?;
            Ok(compare::HostChain { seed, digests: chain.digests })
        });
        runs.insert(machine.model, (plan, chains.into_iter().collect::<Result<_>>()?));
    }
    Ok(runs)
}

fn build(options: &Options, machines: &[&'static Machine]) -> Result<Vec<Job>> {
    let model = options.model.as_deref().map(Path::canonicalize).transpose().context("--model")?;
    let mut jobs = Vec::new();
    for &machine in machines {
        // The portable kernels are the reference: one core with fast kernels runs them as well.
        let also_portable = machine.name == "m4" && machine.backend.is_some() && !options.portable;
        for portable in [options.portable, true].into_iter().take(1 + usize::from(also_portable)) {
            let build = |bin| Build { machine, bin, portable, model: model.as_deref() };
            eprintln!("building for {} ({})", machine.name, build("digits").backend());
            let elf = build("digits").run()?;
            jobs.push(Job {
                machine,
                backend: build("digits").backend(),
                sizes: firmware::sizes(&elf)?,
                code: firmware::sizes(&build("no_panic").run()?)?.text,
                edits: if portable == options.portable { Some(build("edits").run()?) } else { None },
                failures: if portable == options.portable { Some(build("failures").run()?) } else { None },
                elf,
            });
        }
    }
    Ok(jobs)
}

/// Runs one firmware and compares what it reports with the host's chains.
fn measure(options: &Options, job: &Job, plan: &str, chains: &[compare::HostChain]) -> Result<Report> {
    if let Some(elf) = &job.failures {
        failures::check(job.machine, elf)?;
    }
    let first = golden::SEEDS.start();
    let words = [format!("plan={plan}"), format!("seeds={first}..{}", first + options.seeds), "class=seed".to_string()];
    let report = Report::parse(&emulator::run(job.machine, &job.elf, &words, LIMIT)?)?;
    compare::chains(chains, &report.chains)?;
    Ok(report)
}
