//! Format, lints and documentation of every workspace and of the runtime with each set of features that people use.

use crate::boards;
use crate::firmware::{self, cargo, host_cargo};
use crate::machines::{self, Machine, MACHINES};
use crate::page;
use anyhow::Result;

/// Folders with a workspace of their own, beside those of boards.
const WORKSPACES: [&str; 6] = [".", "boards/qemu", "boards/bench", "python", "tools/page", "tools/rtt"];

/// The runtime's features on a host, separated by commas. The whole workspace is linted as well, with what it switches on.
const HOST_FEATURES: [&str; 8] =
    ["", "defmt", "long", "weight-memory", "two-cores", "host", "host-simd", "defmt,host,host-simd"];

/// Firmware for emulated machines: the folder, and the features beside the machine's.
const FIRMWARE: [(&str, &str); 4] =
    [("boards/qemu", ""), ("boards/qemu", "edits"), ("boards/bench", ""), ("boards/bench", "two-cores")];

/// A machine of each architecture: all that firmware tells apart.
const ARCHITECTURES: [&str; 2] = ["m4", "rv32"];

/// rustfmt in every workspace.
pub fn format() -> Result<()> {
    let folders = WORKSPACES.map(str::to_owned).into_iter().chain(boards::folders());
    folders
        .into_iter()
        .try_for_each(|folder| cargo(&folder, &["fmt", "--all", "--check"], &format!("cargo fmt in {folder}")))
}

/// clippy: the workspace; the runtime with each set of features, and with each backend on its targets; the firmware.
pub fn clippy() -> Result<()> {
    clippy_here(&["--workspace", "--all-targets", "--features", "brownian-trainer/examples"])?;
    for features in HOST_FEATURES {
        clippy_here(&["--package", "brownian", "--lib", "--features", features])?;
    }
    let mut linted: Vec<(&str, &str)> = Vec::new();
    for machine in MACHINES {
        for portable in [true, false] {
            let key = (machine.target, machine.backend(portable));
            if !linted.contains(&key) {
                linted.push(key);
                clippy_backend(machine, portable)?;
            }
        }
    }
    for machine in ARCHITECTURES {
        let machine = machines::find(machine)?;
        for (folder, features) in FIRMWARE {
            let mut args = machine.cargo_args(false);
            args.extend(["--features".into(), features.into(), "--release".into(), "--bins".into()]);
            clippy_in(folder, args)?;
        }
    }
    clippy_in("python", vec!["--locked".into()])?;
    clippy_in("tools/rtt", vec!["--locked".into(), "--release".into()])?;
    if page::has_library()? {
        clippy_in("tools/page", vec!["--locked".into(), "--release".into()])?;
    }
    boards::folders().try_for_each(|folder| clippy_in(&folder, vec!["--release".into()]))?;
    boards::variants().try_for_each(|(folder, feature)| {
        clippy_in(&folder, ["--release", "--features", feature].map(String::from).into())
    })?;
    // One with a second core, which its model does not have.
    clippy_in("boards/pico", ["--release", "--features", "two-cores"].map(String::from).into())
}

/// The runtime with a machine's kernels on its target.
fn clippy_backend(machine: &Machine, portable: bool) -> Result<()> {
    firmware::require_target(machine.target)?;
    let mut args: Vec<String> = ["--package", "brownian", "--lib"].map(String::from).into();
    args.extend(machine.target_args());
    if let Some(backend) = machine.backend.filter(|_| !portable) {
        args.extend(["--features".into(), backend.into()]);
    }
    clippy_in(".", args)
}

fn clippy_here(args: &[&str]) -> Result<()> {
    let all: Vec<&str> = [&["clippy", "--quiet"], args, &["--", "-D", "warnings"]].concat();
    host_cargo(&all, &format!("cargo clippy {}", args.join(" ")))
}

/// With the firmware's target directory.
fn clippy_in(folder: &str, args: Vec<String>) -> Result<()> {
    let what = format!("cargo clippy {} in {folder}", args.join(" "));
    let mut all: Vec<String> = ["clippy", "--quiet"].map(String::from).into();
    all.extend(args);
    all.extend(["--", "-D", "warnings"].map(String::from));
    cargo(folder, &all, &what)
}

/// rustdoc of the workspace, its warnings errors.
pub fn documentation() -> Result<()> {
    host_cargo(&["doc", "--quiet", "--workspace", "--no-deps"], "cargo doc")
}
