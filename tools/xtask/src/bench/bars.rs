//! What the kernels must reach: a regression fails the bench.

use super::baseline::Baseline;
use super::Row;
use anyhow::{ensure, Result};

/// The largest ratio of a core's sum over all kernels to the baseline's.
const SUMS: [(&str, f64); 7] =
    [("M0", 0.48), ("M3", 0.66), ("M4", 0.50), ("M33", 0.50), ("M7", 0.50), ("M55", 0.68), ("RV32IMC", 0.85)];

/// The most instructions of a kernel on a core.
const MOST: [(&str, &str, u64); 16] = [
    ("conv3x3 14×14×32→32, winograd 27 KB", "M4", 1_023_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M4", 1_065_000),
    ("conv3x3 28×28×16→16, winograd 48 KB", "M4", 1_210_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "M4", 876_000),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", "M4", 950_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "M4", 1_000_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "M4", 1_115_000),
    ("conv3x3 14×14×32→32, winograd 27 KB", "M33", 1_030_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M33", 1_075_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "M33", 885_000),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", "M33", 960_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "M33", 1_005_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "M33", 1_125_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "RV32IMC", 2_700_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "RV32IMC", 3_120_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "RV32IMC", 3_130_000),
];

/// The smallest MAC an instruction of a kernel on a core.
const SPEEDS: [(&str, &str, f64); 6] = [
    ("conv3x3 14×14×32→32", "M4", 1.0),
    ("conv3x3 14×14×32→32", "M0", 0.31),
    ("depthwise3x3 14×14×32", "M4", 0.30),
    ("conv3x3 14×14×32→32", "M55", 4.8),
    ("depthwise3x3 14×14×32", "M55", 0.9),
    // 12 instructions an element.
    ("elementwise add 14×14×32", "M4", 1.0 / 12.0),
];

/// Fails with a line for each bar that the rows miss; bars of cores or kernels that did not run do not count.
pub fn check(rows: &[Row], baseline: &Baseline) -> Result<()> {
    let mut missed = Vec::new();
    for row in rows {
        if baseline.instructions(&row.kernel, row.core).is_some_and(|theirs| row.instructions > theirs) {
            missed.push(format!("{} on {} takes more instructions than the baseline", row.kernel, row.core));
        }
    }
    for (core, bar) in SUMS {
        let (ours, theirs) = baseline.sums(rows.iter().filter(|row| row.core == core));
        if ours as f64 > bar * theirs as f64 {
            missed
                .push(format!("the sum on {core} is {:.3} of the baseline's, not {bar}", ours as f64 / theirs as f64));
        }
    }
    for (kernel, core, bar) in SPEEDS {
        for row in rows.iter().filter(|row| row.kernel == kernel && row.core == core) {
            let speed = row.macs as f64 / row.instructions as f64;
            if speed < bar {
                missed.push(format!("{kernel} on {core} makes {speed:.3} MAC an instruction, not {bar:.3}"));
            }
        }
    }
    for (kernel, core, bar) in MOST {
        for row in rows.iter().filter(|row| row.kernel == kernel && row.core == core && row.instructions > bar) {
            missed.push(format!("{kernel} on {core} takes {} instructions, not {bar}", row.instructions));
        }
    }
    ensure!(missed.is_empty(), "missed:\n  {}", missed.join("\n  "));
    Ok(())
}
