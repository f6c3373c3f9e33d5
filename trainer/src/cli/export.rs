//! `trainer export`.
use crate::inspect::Report;
use crate::lower::{calibrate::RangeChoice, winograd, Choices, Lowered, StateName, WeightBits};
use crate::run::checkpoint;
use crate::{export, files, plans, Result};
use brownian::host::OwnedModel;
use clap::Args;
use std::path::PathBuf;

/// Arguments of `trainer export`.
#[derive(Debug, Args)]
pub struct Export {
    /// Folder of the run.
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// The model file to write.
    #[arg(long, value_name = "FILE.brn")]
    out: PathBuf,
    /// A sampling plan, `[NAME=]METHOD:STEPS[:OPTION...]`, for example `ddim:50`, `ddpm:1000:variance=beta-tilde` or
    /// `fast=dpm:10:first=0.96:spacing=karras`; may be given several times.
    #[arg(long = "plan", value_name = "PLAN")]
    plans: Vec<String>,
    /// Bits of a weight: 8, or 4 in the layers that hold most of the weights.
    #[arg(long, value_enum, default_value = "8")]
    weights: WeightBits,
    /// How the ranges of activations are chosen.
    #[arg(long, value_enum, default_value = "least-error")]
    ranges: RangeChoice,
    /// Whether the mean error of the network's output is taken back at every timestep.
    #[arg(long, value_enum, default_value = "on")]
    bias_correction: Switch,
    /// What the chip keeps the image in between two steps: f16 takes half the memory.
    #[arg(long, value_enum, default_value = "f32")]
    state: StateName,
    /// Bytes by which the arena may grow for scratch, with which some cores compute convolutions by fewer products, to the
    /// same bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 0)]
    scratch: u32,
}

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Export {
    /// Exports the newest checkpoint of the run.
    ///
    /// # Errors
    /// Bad plans or files, or a network that the format cannot hold.
    pub fn run(self) -> Result<()> {
        let asked = if self.plans.is_empty() { export::DEFAULT_PLANS.map(str::to_owned).to_vec() } else { self.plans };
        plans::parse_all(&asked)?;
        files::check_writable(&self.out)?;
        let choices = Choices {
            weights: self.weights,
            ranges: self.ranges,
            bias_correction: self.bias_correction == Switch::On,
            state: self.state,
        };
        let Lowered { file: bytes, warnings, .. } = export::export(&checkpoint::load(&self.run)?, &asked, &choices)?;
        warnings.iter().for_each(|warning| eprintln!("warning: {warning}"));
        let choice = winograd::choose(&bytes, self.scratch)?;
        winograd::describe(&bytes, self.scratch, &choice)?.iter().for_each(|line| eprintln!("{line}"));
        let bytes = choice.file;
        files::write_atomically(&self.out, &bytes)?;
        let file = OwnedModel::new(&bytes)?;
        eprintln!("{}: {}", self.out.display(), Report::new(&file.model(), bytes.len()).needs());
        Ok(())
    }
}
