//! Which models a core runs: its own, and every other one that has goldens and that it can hold.

use super::Options;
use crate::machines::{Machine, INPUTS_LEN, MACHINES};
use anyhow::{Context, Result};
use brownian::host::OwnedModel;
use brownian_tests::golden;
use std::path::PathBuf;

/// Bytes of RAM that firmware needs beside arena and state: its stack and its own variables.
const BESIDE: usize = 4 * 1024;
/// Bytes of flash for its code, and for what the emulator puts there.
const CODE: usize = 80 * 1024 + INPUTS_LEN as usize;

/// A model, and how it is run.
#[derive(Debug)]
pub struct Subject {
    /// The file's name, without its extension.
    pub name: String,
    /// The file.
    pub path: PathBuf,
    /// It, read.
    pub host: OwnedModel,
    /// How many seeds, one image each.
    pub seeds: u64,
    /// Whether it was asked for, and has all the RAM there is instead of what shipped models need.
    any_ram: bool,
}

impl Subject {
    fn read(path: PathBuf, seeds: u64, any_ram: bool) -> Result<Self> {
        let name = path.file_stem().context("a model needs a name")?.to_string_lossy().into_owned();
        Ok(Self { name, host: OwnedModel::read(&path)?, path, seeds, any_ram })
    }

    /// Whether it may have all the RAM of a machine: one that was asked for, or whose arena and state alone are more than
    /// firmware with a model gets there, as where an arena has room for Winograd's algorithm.
    pub fn takes_any_ram(&self, machine: &Machine) -> bool {
        let model = self.host.model();
        let least = model.arena_len() + model.state_len() * model.state_element_len();
        self.any_ram || least > machine.model_ram as usize * 1024
    }

    /// Whether a machine has the memory for it.
    fn fits(&self, machine: &Machine) -> bool {
        let model = self.host.model();
        let state = model.state_len_two_evaluations() * model.state_element_len();
        let fits = |needed: usize, kilobytes: u32| needed <= kilobytes as usize * 1024;
        fits(model.arena_len() + state + BESIDE, machine.ram.kilobytes)
            && fits(self.host.bytes().len() + CODE, machine.flash.kilobytes)
    }
}

/// Whether a machine calls this model its own.
fn is_a_machines_own(name: &str) -> bool {
    MACHINES.iter().any(|machine| machine.model == name)
}

/// The models that the options choose, or that have goldens.
pub fn subjects(options: &Options) -> Result<Vec<Subject>> {
    if let Some(path) = &options.model {
        return Ok(vec![Subject::read(path.canonicalize().context("--model")?, options.seeds, true)?]);
    }
    let read = |name: String| {
        // One seed is enough of those that every core runs besides its own: their cases follow.
        let seeds = if is_a_machines_own(&name) { options.seeds } else { 1 };
        Subject::read(golden::model_path(&name), seeds, false)
    };
    golden::models()?.into_iter().map(read).collect()
}

/// Whether a machine runs a model: its own, one that was asked for, or one that no machine calls its own.
pub fn runs(machine: &Machine, subject: &Subject) -> bool {
    subject.any_ram || subject.name == machine.model || !is_a_machines_own(&subject.name) && subject.fits(machine)
}
