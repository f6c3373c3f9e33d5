//! A whole evaluation of a shipped network, on one core and on two.

use super::build_with;
use crate::machines::{self, Machine};
use crate::{emulator, firmware};
use anyhow::{ensure, Context, Result};
use comfy_table::{presets, CellAlignment, Table};
use std::time::Duration;

/// An emulator run's time limit.
const LIMIT: Duration = Duration::from_secs(300);
/// Machines like the chips that have two cores: RP2350, RP2040.
const MACHINES: [&str; 2] = ["m33", "m0"];
/// Models, and what is said of their arena.
const MODELS: [(&str, &str); 2] = [("digits28", "no more than it needs"), ("digits28-20k", "20 KB more")];
/// The most instructions on M33, of each model: on one core, along the longest way through two.
const MOST: [(&str, u64, u64); 2] = [("digits28", 10_600_000, 5_520_000), ("digits28-20k", 6_270_000, 3_240_000)];

/// What the firmware counted.
struct Counted {
    core: &'static str,
    model: &'static str,
    arena: &'static str,
    one: u64,
    two: u64,
    handovers: u64,
    scratch: u64,
}

/// Counts, prints a table, and fails where a bar is missed.
pub fn run() -> Result<()> {
    let mut rows = Vec::new();
    for name in MACHINES {
        let machine = machines::find(name)?;
        for (model, arena) in MODELS {
            rows.push(count(machine, model, arena)?);
        }
    }
    println!("{}", render(&rows));
    for (model, one, two) in MOST {
        for row in rows.iter().filter(|row| row.core == "M33" && row.model == model) {
            ensure!(row.one <= one, "an evaluation of {model} on M33 takes {} instructions, not {one}", row.one);
            ensure!(row.two <= two, "an evaluation of {model} on two M33 takes {} instructions, not {two}", row.two);
        }
    }
    Ok(())
}

fn count(machine: &'static Machine, model: &'static str, arena: &'static str) -> Result<Counted> {
    let path = firmware::root().join("models").join(model).with_extension("brn");
    let elf = build_with(machine, "evaluation", false, Some(&path))?;
    let output = emulator::run(machine, &elf, &[], LIMIT)?;
    let line = output.lines().find_map(|line| line.strip_prefix("evaluation|"));
    let line = line.with_context(|| format!("{}, {model}: {}", machine.name, output.trim()))?;
    let figures: Vec<u64> = line.split('|').map(str::parse).collect::<Result<_, _>>()?;
    let [one, two, handovers, scratch] = figures[..] else { anyhow::bail!("{line}") };
    Ok(Counted { core: machine.bench.unwrap_or(machine.name), model, arena, one, two, handovers, scratch })
}

fn render(rows: &[Counted]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header([
        "core",
        "one evaluation of",
        "arena",
        "one core",
        "two cores",
        "ratio",
        "handovers",
        "second's scratch",
    ]);
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for row in rows {
        table.add_row([
            row.core.to_string(),
            row.model.to_string(),
            row.arena.to_string(),
            row.one.to_string(),
            row.two.to_string(),
            format!("{:.3}", row.two as f64 / row.one as f64),
            row.handovers.to_string(),
            row.scratch.to_string(),
        ]);
    }
    table
}
