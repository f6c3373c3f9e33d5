//! What the kernels must reach: a regression fails the bench.

use super::baseline::Baseline;
use super::Row;
use anyhow::{ensure, Result};

/// The largest ratio of a core's sum over all kernels to the baseline's.
const SUMS: [(&str, f64); 7] =
    [("M0", 0.475), ("M3", 0.64), ("M4", 0.485), ("M33", 0.485), ("M7", 0.485), ("M55", 0.68), ("RV32IMC", 0.83)];

/// The same where each convolution has the scratch that its fastest algorithm takes.
const SUMS_WITH_SCRATCH: [(&str, f64); 6] =
    [("M0", 0.42), ("M3", 0.50), ("M4", 0.335), ("M33", 0.335), ("M7", 0.335), ("RV32IMC", 0.62)];

/// The largest ratio of a kernel to the baseline's, on every core.
const WORST: f64 = 0.95;

/// The most instructions of a kernel on a core.
const MOST: [(&str, &str, u64); 16] = [
    ("conv3x3 14×14×32→32, winograd 27 KB", "M4", 1_010_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M4", 1_050_000),
    ("conv3x3 28×28×16→16, winograd 48 KB", "M4", 1_187_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "M4", 850_000),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", "M4", 923_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "M4", 983_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "M4", 1_064_000),
    ("conv3x3 14×14×32→32, winograd 27 KB", "M33", 1_010_000),
    ("conv3x3 14×14×32→32, winograd 17 KB", "M33", 1_050_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "M33", 850_000),
    ("conv3x3 14×14×32→32, winograd 2×4 28 KB", "M33", 923_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "M33", 983_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "M33", 1_064_000),
    ("conv3x3 14×14×32→32, winograd 2×4 46 KB", "RV32IMC", 2_700_000),
    ("conv3x3 7×7×64→64, winograd 2×4 31 KB", "RV32IMC", 3_120_000),
    ("conv3x3 28×28×16→16, winograd 2×4 45 KB", "RV32IMC", 3_050_000),
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
        let Some(theirs) = baseline.instructions(&row.kernel, row.core) else { continue };
        let ratio = row.instructions as f64 / theirs as f64;
        if ratio > WORST {
            missed.push(format!("{} on {} takes {ratio:.3} of the baseline, not {WORST}", row.kernel, row.core));
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
