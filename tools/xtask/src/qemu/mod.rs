//! `cargo xtask qemu`: the firmware on every emulated core.

mod failures;

use crate::{emulator, machines};
use anyhow::Result;
use clap::Args;

/// What to run.
#[derive(Debug, Args)]
pub struct Options {
    /// Only this core
    #[arg(long, value_name = "NAME")]
    core: Option<String>,
}

/// Builds and runs the firmware.
pub fn run(options: &Options) -> Result<()> {
    let machines: Vec<_> = match &options.core {
        Some(name) => vec![machines::find(name)?],
        None => machines::MACHINES.iter().collect(),
    };
    for machine in &machines {
        emulator::require(machine)?;
    }
    for machine in machines {
        failures::check(machine)?;
        println!("{}: failures are noticed", machine.name);
    }
    Ok(())
}
