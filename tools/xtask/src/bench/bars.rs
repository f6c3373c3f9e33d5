//! What the kernels must reach: a regression fails the bench.

use super::baseline::Baseline;
use super::Row;
use anyhow::{ensure, Result};

/// The largest ratio of a core's sum over all kernels to the baseline's.
const SUMS: [(&str, f64); 7] =
    [("M0", 0.48), ("M3", 0.66), ("M4", 0.50), ("M33", 0.50), ("M7", 0.50), ("M55", 0.68), ("RV32IMC", 0.855)];

/// The same where each convolution has the scratch that its fastest algorithm takes.
const SUMS_WITH_SCRATCH: [(&str, f64); 4] = [("M4", 0.35), ("M33", 0.35), ("M7", 0.35), ("RV32IMC", 0.63)];

/// The most instructions of a kernel on a core.
const MOST: [(&str, &str, u64); 16] = [
    ("conv3x3 14×14×32→32, winograd 27 KB", "M4", 1_030_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M4", 1_073_000),
    ("conv3x3 28×28×16→16, winograd 48 KB", "M4", 1_223_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "M4", 876_000),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", "M4", 950_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "M4", 1_000_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "M4", 1_115_000),
    ("conv3x3 14×14×32→32, winograd 27 KB", "M33", 1_037_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M33", 1_080_000),
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
    let mut at_most = |(ours, theirs): (u64, u64), what: &str, core: &str, bar: f64| {
        let ratio = ours as f64 / theirs as f64;
        if ratio > bar {
            missed.push(format!("the sum on {core}{what} is {ratio:.3} of the baseline's, not {bar}"));
        }
    };
    for (core, bar) in SUMS {
        at_most(baseline.sums(rows.iter().filter(|row| row.core == core)), "", core, bar);
    }
    for (core, bar) in SUMS_WITH_SCRATCH {
        at_most(baseline.best_sums(rows.iter().filter(|row| row.core == core)), " with scratch", core, bar);
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
