//! The table of instructions, MAC an instruction and ratios.

use super::baseline::Baseline;
use super::Row;
use comfy_table::{presets, CellAlignment, Table};

/// A row a kernel and core, and the sum of each core.
pub fn render(rows: &[Row], baseline: &Baseline) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    table.set_header(["core", "kernel", "MACs", "instructions", "MAC/instruction", "ratio"]);
    for column in 2..6 {
        table.column_mut(column).expect("six columns").set_cell_alignment(CellAlignment::Right);
    }
    let ratio = |ours: u64, theirs: Option<u64>| {
        theirs.map_or("–".to_string(), |theirs| format!("{:.3}", ours as f64 / theirs as f64))
    };
    for core in rows.chunk_by(|a, b| a.core == b.core) {
        for row in core {
            table.add_row([
                row.core.to_string(),
                row.kernel.clone(),
                row.macs.to_string(),
                row.instructions.to_string(),
                format!("{:.3}", row.macs as f64 / row.instructions as f64),
                ratio(row.instructions, baseline.instructions(&row.kernel, row.core)),
            ]);
        }
        let (ours, theirs) = baseline.sums(core);
        let ratio = ratio(ours, (theirs > 0).then_some(theirs));
        let sum = [core[0].core, "sum of those with a ratio", "", &ours.to_string(), "", &ratio].map(String::from);
        table.add_row(sum);
    }
    table
}

/// A row a kernel; of each core its instructions and its estimated cycles.
pub fn render_cycles(columns: &[(&str, Vec<Row>, Vec<u64>)]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::ASCII_MARKDOWN);
    let titles = columns.iter().flat_map(|(core, ..)| [format!("{core} instructions"), format!("{core} cycles, est.")]);
    table.set_header(std::iter::once("kernel".to_string()).chain(titles));
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    for (index, row) in columns.first().map_or(&[][..], |(_, rows, _)| rows).iter().enumerate() {
        let figures = columns.iter().flat_map(|(_, rows, cycles)| {
            let cycles = cycles.get(index).map_or("–".to_string(), u64::to_string);
            [rows.get(index).map_or("–".to_string(), |row| row.instructions.to_string()), cycles]
        });
        table.add_row(std::iter::once(row.kernel.clone()).chain(figures));
    }
    table
}
