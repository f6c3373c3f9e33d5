//! Shows that failures on an emulated core are noticed, and that ticks are worth what [`machines`](crate::machines) says.

use crate::emulator::{run_to_any_end, Ending};
use crate::machines::Machine;
use anyhow::{ensure, Context, Result};
use brownian_board::report::Line;
use std::path::Path;
use std::time::Duration;

/// What the firmware is asked for, a limit in seconds, and how it must end.
const CASES: [(&str, u64, Ending); 3] =
    [("panic", 60, Ending::Exit(101)), ("fault", 60, Ending::Exit(102)), ("hang", 2, Ending::Stopped)];

/// Runs the firmware that fails on request.
pub fn check(machine: &Machine, elf: &Path) -> Result<()> {
    let run = |word: &str, limit| run_to_any_end(machine, elf, &[word.to_string()], Duration::from_secs(limit));
    let well = run("well", 60)?;
    ensure!(
        well.ending == Ending::Exit(0),
        "{}: the firmware that should end well did not: {}",
        machine.name,
        well.tell()
    );
    let calibration = well.text.lines().find_map(|line| match Line::parse(line) {
        Some(Line::Calibration { instructions, ticks }) => Some((instructions, ticks)),
        _ => None,
    });
    let (expected, ticks) = calibration.with_context(|| format!("{}: no calibration in its report", machine.name))?;
    let counted = machine.instructions(ticks);
    ensure!(
        counted.abs_diff(expected) * 1000 <= expected,
        "{}: {expected} instructions were counted as {counted}: is the machine's tick right?",
        machine.name
    );
    for (word, limit, expected) in CASES {
        let ran = run(word, limit)?;
        ensure!(
            ran.ending == expected,
            "{}: asked to {word}, it should end with {expected:?}: {}",
            machine.name,
            ran.tell()
        );
    }
    Ok(())
}
