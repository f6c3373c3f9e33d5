//! The cases of [`brownian_tests::cases`] on an emulated core: every step equals the host's, a snapshot that the core
//! saves has the host's bytes and goes on there, and the core goes on from the host's.

use super::report::Report;
use super::LIMIT;
use crate::emulator::{run_loaded, Ending, Run};
use crate::firmware;
use crate::machines::{Machine, INPUTS_LEN};
use anyhow::{bail, ensure, Context, Result};
use brownian::host::OwnedModel;
use brownian_tests::cases::{cases, Case, Outcome};
use std::path::Path;

/// Every case of a model, and what the host made of it.
pub struct Expected(Vec<(Case, Outcome)>);

impl Expected {
    /// Runs a model's cases on the host.
    pub fn of(host: &OwnedModel) -> Result<Self> {
        let run = |case: Case| Ok((case.run(host)?, case)).map(|(outcome, case)| (case, outcome));
        Ok(Self(cases(host)?.into_iter().map(run).collect::<Result<_>>()?))
    }
}

/// Runs the cases on a machine.
pub fn check(machine: &Machine, elf: &Path, host: &OwnedModel, expected: &Expected) -> Result<()> {
    for (case, outcome) in &expected.0 {
        check_case(machine, elf, host, case, outcome).with_context(|| format!("case {}", case.words))?;
    }
    let Some((resumed, _)) = expected.0.last() else { return Ok(()) };
    // One bit of the last value of the state.
    let mut damaged = resumed.clone();
    let at = damaged.inputs.len() - 5;
    damaged.inputs[at] ^= 4;
    let ran = run(machine, elf, &damaged)?;
    ensure!(
        ran.ending == Ending::Exit(1) && ran.text.contains("damaged"),
        "a damaged snapshot was not refused: {}",
        ran.tell()
    );
    Ok(())
}

fn check_case(machine: &Machine, elf: &Path, host: &OwnedModel, case: &Case, outcome: &Outcome) -> Result<()> {
    let ran = run(machine, elf, case)?;
    ensure!(ran.ending == Ending::Exit(0), "{}", ran.tell());
    let report = Report::parse(&ran.text)?;
    let [chain] = &report.chains[..] else { bail!("{} chains instead of one", report.chains.len()) };
    let differs = chain.digests.iter().zip(&outcome.digests).position(|(core, host)| core != host);
    ensure!(
        chain.digests == outcome.digests,
        "step {} of those it makes differs first from the host's",
        differs.map_or_else(|| "count".into(), |step| (step + 1).to_string())
    );
    ensure!(chain.saved == outcome.saved, "its snapshot differs from the host's");
    if !chain.saved.is_empty() {
        case.check_resumed(host, outcome, &chain.saved).context("the core's snapshot, taken up on the host")?;
    }
    Ok(())
}

fn run(machine: &Machine, elf: &Path, case: &Case) -> Result<Run> {
    let (given, room) = (case.inputs.len(), INPUTS_LEN as usize);
    ensure!(given <= room, "its inputs are {given} bytes; the firmware has {room} of its flash for them");
    // Beside the firmware, whose name no other run at this time has.
    let inputs = elf.with_extension("inputs");
    std::fs::write(&inputs, &case.inputs).with_context(|| format!("cannot write {}", inputs.display()))?;
    let words: Vec<String> = case.words.split(' ').map(String::from).collect();
    run_loaded(machine, elf, &words, (&inputs, firmware::symbol(elf, "_inputs")?), LIMIT)
}
