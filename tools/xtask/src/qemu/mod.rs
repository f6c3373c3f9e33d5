//! `cargo xtask qemu`: the firmware on every emulated core, compared with the host step by step.

mod cases;
mod compare;
mod failures;
mod report;
mod subject;
mod table;

use crate::firmware::{self, Build, Sizes};
use crate::machines::{self, Machine};
use crate::{emulator, parallel};
use anyhow::{Context, Result};
use brownian_tests::{condition, draw, golden};
use clap::Args;
use report::Report;
use std::path::PathBuf;
use std::time::Duration;
use subject::Subject;

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
struct Job<'a> {
    machine: &'static Machine,
    on_host: &'a OnHost,
    backend: &'static str,
    elf: PathBuf,
    /// Only on the first job of a machine.
    failures: Option<PathBuf>,
    /// Only with the kernels that the machine is for.
    edits: Option<PathBuf>,
    sizes: Sizes,
    code: u64,
}

/// What the host made of a model.
struct OnHost {
    subject: Subject,
    plan: String,
    chains: Vec<compare::HostChain>,
    cases: cases::Expected,
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
    let mut subjects = subject::subjects(options)?;
    subjects.retain(|subject| machines.iter().any(|machine| subject::runs(machine, subject)));
    let on_host: Vec<OnHost> =
        subjects.into_iter().map(|subject| host_runs(options, subject)).collect::<Result<_>>()?;
    let jobs = build(options, &machines, &on_host)?;
    let reports = parallel::map(&jobs, |job| {
        let name = format!("{} on {} ({})", job.on_host.subject.name, job.machine.name, job.backend);
        measure(job).context(name)
    });
    let mut rows = Vec::new();
    let mut failed = None;
    for (job, report) in jobs.iter().zip(reports) {
        match report {
            Ok(report) => {
                let model = &job.on_host.subject.name;
                rows.push(table::Row::new(job.machine, model, job.backend, &report, job.sizes, job.code));
            }
            Err(error) => {
                eprintln!("error: {error:#}");
                failed = Some(anyhow::anyhow!("not all cores gave the host's bytes"));
            }
        }
    }
    table::print(&rows, options.json)?;
    failed.map_or(Ok(()), Err)
}

/// The host's own chains of a model.
fn host_runs(options: &Options, subject: Subject) -> Result<OnHost> {
    let model = subject.host.model();
    let plan = match &options.plan {
        Some(plan) => plan.clone(),
        None => model.plans().next().context("the model has no plan")?.name().to_string(),
    };
    let first = *golden::SEEDS.start();
    let seeds: Vec<u64> = (first..first + subject.seeds).collect();
    let chains = parallel::map(&seeds, |&seed| {
        let chain = draw(&model, &plan, condition(&model, seed), seed)?;
        Ok(compare::HostChain { seed, digests: chain.digests })
    });
    let chains = chains.into_iter().collect::<Result<_>>().with_context(|| subject.name.clone())?;
    let cases = cases::Expected::of(&subject.host)?;
    Ok(OnHost { subject, plan, chains, cases })
}

fn build<'a>(options: &Options, machines: &[&'static Machine], on_host: &'a [OnHost]) -> Result<Vec<Job<'a>>> {
    let mut jobs = Vec::new();
    for &machine in machines {
        let mut is_first = true;
        // Of the runtime alone, whichever the model: with the kernels that are asked for, and with the portable ones.
        let mut codes = [None; 2];
        for on_host in on_host.iter().filter(|on_host| subject::runs(machine, &on_host.subject)) {
            let Subject { name, path, .. } = &on_host.subject;
            let any_ram = on_host.subject.takes_any_ram(machine);
            // The portable kernels are the reference: one core with fast kernels runs them as well.
            let also_portable = machine.name == "m4" && name == machine.model && !options.portable;
            for portable in [options.portable, true].into_iter().take(1 + usize::from(also_portable)) {
                let build = |bin, any_ram| Build { machine, bin, portable, model: path, any_ram };
                let backend = machine.backend(portable);
                eprintln!("building {name} for {} ({backend})", machine.name);
                let elf = build("digits", any_ram).run()?;
                let is_asked = portable == options.portable;
                let code = match codes[usize::from(portable)] {
                    Some(code) => code,
                    None => firmware::sizes(&build("no_panic", any_ram).run()?)?.text,
                };
                codes[usize::from(portable)] = Some(code);
                // Two evaluations a step need more state than the RAM of a plain chain has.
                let edits_ram = any_ram || name != machine.model;
                jobs.push(Job {
                    machine,
                    on_host,
                    backend,
                    sizes: firmware::sizes(&elf)?,
                    code,
                    edits: if is_asked { Some(build("edits", edits_ram).run()?) } else { None },
                    failures: if is_first { Some(build("failures", any_ram).run()?) } else { None },
                    elf,
                });
                is_first = false;
            }
        }
    }
    Ok(jobs)
}

/// Runs one firmware and compares what it reports with the host's chains and cases.
fn measure(job: &Job) -> Result<Report> {
    if let Some(elf) = &job.failures {
        failures::check(job.machine, elf)?;
    }
    let OnHost { subject, plan, chains, cases } = job.on_host;
    let first = golden::SEEDS.start();
    let words = [format!("plan={plan}"), format!("seeds={first}..{}", first + subject.seeds), "class=seed".to_string()];
    let report = Report::parse(&emulator::run(job.machine, &job.elf, &words, LIMIT)?)?;
    compare::chains(chains, &report.chains)?;
    if let Some(elf) = &job.edits {
        cases::check(job.machine, elf, &subject.host, cases)?;
    }
    Ok(report)
}
