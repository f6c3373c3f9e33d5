//! `cargo xtask size`: code bytes of a firmware that only draws, and what each thing that it may be asked for adds; what
//! every board's firmware takes with the shipped models.

use crate::boards;
use crate::firmware::{self, cargo_command, target_dir};
use crate::machines;
use anyhow::{ensure, Context, Result};

/// The core whose firmware is measured.
const MACHINE: &str = "m4";
/// The most bytes of `.text` without any feature: with portable kernels, and with the core's fast ones.
const BARS: [u64; 2] = [20_000, 27_000];
/// What `boards/qemu/src/bin/size.rs` can be asked for, by its Cargo feature.
const PARTS: [(&str, &str); 14] = [
    ("class", "a class under guidance"),
    ("two-evaluations", "the same from two evaluations"),
    ("image-to-image", "image-to-image"),
    ("inpainting", "inpainting"),
    ("preview", "previews"),
    ("by-op", "op by op"),
    ("snapshots", "snapshots, saved and taken up"),
    ("long", "signals longer than the model's"),
    ("weight-memory", "weights copied to RAM"),
    ("constant", "positions, or other constants"),
    ("local", "a local condition"),
    ("four-bit", "four-bit weights"),
    ("winograd", "Winograd's algorithm"),
    ("bits", "bits in the place of values"),
];

/// Prints the tables; fails where a bar or a board's budget is exceeded.
pub fn run() -> Result<()> {
    let base = [measure(None, true)?, measure(None, false)?];
    println!("{:<32} {:>10} {:>10}", "bytes of .text", "portable", machines::find(MACHINE)?.backend(false));
    println!("{:<32} {:>10} {:>10}", "a chain without a class", base[0], base[1]);
    for (feature, name) in PARTS {
        let [portable, fast] = [measure(Some(feature), true)?, measure(Some(feature), false)?];
        println!("{:<32} {:>+10} {:>+10}", name, portable as i64 - base[0] as i64, fast as i64 - base[1] as i64);
    }
    for (size, bar) in base.into_iter().zip(BARS) {
        ensure!(size <= bar, "a chain without a class takes {size} bytes of .text, more than the bar of {bar}");
    }
    boards::sizes(&["digits28", "digits28-nano"])
}

/// Bytes of `.text` with this feature.
fn measure(feature: Option<&str>, portable: bool) -> Result<u64> {
    let machine = machines::find(MACHINE)?;
    firmware::require_target(machine.target)?;
    let args = ["build", "--quiet", "--release", "--bin", "size", "--no-default-features"];
    let mut command = cargo_command("boards/qemu", &args);
    command.args(machine.cargo_args(portable));
    if let Some(feature) = feature {
        command.args(["--features", feature]);
    }
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "building the program size failed");
    let elf = target_dir().join(machine.target).join("release/size");
    Ok(firmware::sizes(&elf)?.text)
}
