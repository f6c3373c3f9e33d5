//! The figures of a run.

use super::report::Report;
use crate::firmware::Sizes;
use crate::machines::Machine;
use anyhow::Result;
use comfy_table::{presets::ASCII_MARKDOWN, CellAlignment, Table};
use serde::Serialize;

/// One firmware on one core.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    core: &'static str,
    model: String,
    backend: &'static str,
    seeds: usize,
    steps: usize,
    /// One ε_θ, the mean over a chain.
    instructions_evaluation: u64,
    /// The whole chain of the first seed.
    instructions_chain: u64,
    /// Percent of the chain outside the network.
    sampler_share: f64,
    /// Percent of the chain outside convolutions and linear layers: sampler, noise, activations, moves.
    outside_convolutions: f64,
    arena: u64,
    state: u64,
    stack: u64,
    /// All variables (arena and state among them) and the stack.
    ram: u64,
    text: u64,
    rodata: u64,
    /// Code of the runtime alone: reader and sampler, nothing that prints.
    runtime_text: u64,
}

impl Row {
    /// Of what a firmware reported, its sections, and the code of the runtime alone.
    pub fn new(
        machine: &Machine,
        model: &str,
        backend: &'static str,
        report: &Report,
        sizes: Sizes,
        runtime_text: u64,
    ) -> Self {
        let chain = &report.chains[0];
        let steps = chain.digests.len().max(1);
        let outside = |part: u64| 100.0 * (1.0 - part as f64 / chain.times.chain.max(1) as f64);
        Self {
            core: machine.name,
            model: model.into(),
            backend,
            seeds: report.chains.len(),
            steps,
            instructions_evaluation: machine.instructions(chain.times.network) / steps as u64,
            instructions_chain: machine.instructions(chain.times.chain),
            sampler_share: outside(chain.times.network),
            outside_convolutions: outside(chain.times.convolutions),
            arena: report.arena,
            state: report.state,
            stack: report.stack,
            ram: sizes.statics + report.stack,
            text: sizes.text,
            rodata: sizes.rodata,
            runtime_text,
        }
    }
}

/// Prints the rows as a table, or as JSON.
pub fn print(rows: &[Row], json: bool) -> Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(rows)?);
        return Ok(());
    }
    let mut table = Table::new();
    table.load_preset(ASCII_MARKDOWN).set_header([
        "core",
        "model",
        "kernels",
        "seeds",
        "steps",
        "instructions ε_θ",
        "chain",
        "sampler %",
        "not conv %",
        "arena",
        "state",
        "stack",
        "RAM",
        ".text",
        ".rodata",
        "runtime code",
    ]);
    for row in rows {
        table.add_row([
            row.core.to_string(),
            row.model.clone(),
            row.backend.to_string(),
            row.seeds.to_string(),
            row.steps.to_string(),
            row.instructions_evaluation.to_string(),
            row.instructions_chain.to_string(),
            format!("{:.1}", row.sampler_share),
            format!("{:.1}", row.outside_convolutions),
            row.arena.to_string(),
            row.state.to_string(),
            row.stack.to_string(),
            row.ram.to_string(),
            row.text.to_string(),
            row.rodata.to_string(),
            row.runtime_text.to_string(),
        ]);
    }
    for column in table.column_iter_mut().skip(3) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    println!("{table}");
    Ok(())
}
