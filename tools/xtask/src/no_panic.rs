//! `cargo xtask no-panic`: the release firmware holds no panic machinery of the runtime.
//!
//! A program with the whole runtime in it, whose panic handler calls an undefined function, must link; with a
//! deliberate panic added it must not.

use crate::machines::{Machine, MACHINES};
use crate::{firmware, no_float};
use anyhow::{ensure, Result};

/// The undefined function of `boards/qemu/src/bin/no_panic.rs`.
const SYMBOL: &str = "the_runtime_can_panic";

/// Checks every target with the portable kernels and with each backend that its machines use.
pub fn run() -> Result<()> {
    let mut checked: Vec<(&str, &str)> = Vec::new();
    for machine in MACHINES {
        for portable in [true, false] {
            let key = (machine.target, machine.backend(portable));
            if !checked.contains(&key) {
                checked.push(key);
                check(machine, portable)?;
            }
        }
    }
    no_float::run()
}

fn check(machine: &Machine, portable: bool) -> Result<()> {
    firmware::require_target(machine.target)?;
    let subject = format!("{} with {} kernels", machine.target, machine.backend(portable));
    for features in [&[][..], &["--features", "edits"]] {
        let (linked, errors) = link(machine, portable, features)?;
        ensure!(linked, "{subject}: the runtime can panic, or does not build:\n{errors}");
    }
    let (linked, errors) = link(machine, portable, &["--features", "deliberate-panic"])?;
    ensure!(!linked && errors.contains(SYMBOL), "{subject}: a deliberate panic went unnoticed");
    println!("{subject}: no panic in the runtime, and a deliberate one is noticed");
    Ok(())
}

fn link(machine: &Machine, portable: bool, more: &[&str]) -> Result<(bool, String)> {
    let mut args: Vec<String> = ["build", "--quiet", "--release", "--bin", "no_panic"].map(String::from).into();
    args.extend(machine.cargo_args(portable));
    args.extend(more.iter().map(|arg| arg.to_string()));
    firmware::cargo_captured("boards/qemu", &args)
}
