//! The figures to beat, kept beside the bench firmware.

use super::Row;
use anyhow::{Context, Result};
use std::collections::BTreeMap;

const CSV: &str = include_str!("../../../../boards/bench/baseline.csv");

/// What stands between a kernel's name and another algorithm, with its scratch.
const ALGORITHM: &str = ", winograd ";

/// Instructions of CMSIS-NN by kernel and core.
pub struct Baseline(BTreeMap<(String, String), u64>);

impl Baseline {
    /// Reads the table: a row a kernel, a column a core.
    pub fn read() -> Result<Self> {
        let mut reader = csv::Reader::from_reader(CSV.as_bytes());
        let cores: Vec<String> = reader.headers()?.iter().skip(2).map(String::from).collect();
        let mut figures = BTreeMap::new();
        for record in reader.records() {
            let record = record?;
            for (core, figure) in cores.iter().zip(record.iter().skip(2)) {
                let figure = figure.parse().with_context(|| format!("baseline of {} on {core}", &record[0]))?;
                figures.insert((record[0].to_string(), core.clone()), figure);
            }
        }
        Ok(Self(figures))
    }

    /// The kernel that a row computes, whichever its algorithm.
    fn base(kernel: &str) -> &str {
        kernel.split(ALGORITHM).next().unwrap_or(kernel)
    }

    /// What the kernel costs there; RV32IMC, which the baseline lacks, is held against M3, and another algorithm against
    /// the same kernel.
    pub fn instructions(&self, kernel: &str, core: &str) -> Option<u64> {
        let kernel = Self::base(kernel);
        let core = if core == "RV32IMC" { "M3" } else { core };
        self.0.get(&(kernel.to_string(), core.to_string())).copied()
    }

    /// Instructions of all rows that the baseline has too: ours without scratch for another algorithm, and the baseline's.
    pub fn sums<'r>(&self, rows: impl IntoIterator<Item = &'r Row>) -> (u64, u64) {
        let direct = rows.into_iter().filter(|row| !row.kernel.contains(ALGORITHM));
        let both = direct.filter_map(|row| {
            let theirs = self.instructions(&row.kernel, row.core)?;
            Some((row.instructions, theirs))
        });
        both.fold((0, 0), |sums, row| (sums.0 + row.0, sums.1 + row.1))
    }

    /// Like [`sums`](Self::sums), each kernel by the algorithm that takes the fewest instructions, whatever its scratch.
    pub fn best_sums<'r>(&self, rows: impl IntoIterator<Item = &'r Row>) -> (u64, u64) {
        let mut least = BTreeMap::new();
        for row in rows {
            let Some(theirs) = self.instructions(&row.kernel, row.core) else { continue };
            let best = least.entry((Self::base(&row.kernel), row.core)).or_insert((row.instructions, theirs));
            best.0 = row.instructions.min(best.0);
        }
        least.into_values().fold((0, 0), |sums, row| (sums.0 + row.0, sums.1 + row.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_core_has_seventeen_kernels() {
        let baseline = Baseline::read().unwrap();
        assert_eq!(baseline.0.len(), 17 * 6);
        assert_eq!(baseline.instructions("conv3x3 14×14×32→32", "M4"), Some(3477960));
        assert_eq!(baseline.instructions("conv1d 1024×16→32, k=3, dilation 4", "RV32IMC"), Some(5777288));
    }

    /// A kernel that the baseline lacks does not count in the ratio of sums.
    #[test]
    fn sums_are_of_the_same_kernels() {
        let baseline = Baseline::read().unwrap();
        let row = |kernel: &str, instructions| Row { kernel: kernel.into(), core: "M4", macs: 1, instructions };
        let winograd = "conv3x3 14×14×32→32, winograd 27 KB";
        let rows = [row("conv3x3 14×14×32→32", 5), row("gate 1024×16", 7), row(winograd, 3)];
        assert_eq!(baseline.instructions(winograd, "M4"), Some(3477960));
        assert_eq!(baseline.sums(&rows), (5, 3477960));
        assert_eq!(baseline.best_sums(&rows), (3, 3477960));
    }
}
