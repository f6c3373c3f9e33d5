//! `trainer export`.
use crate::lower::{calibrate::RangeChoice, winograd, Choices, Lowered, StateName, WeightBits};
use crate::report::note::note;
use crate::report::progress::Busy;
use crate::run::{checkpoint, Checkpoint};
use crate::{export, files, Error, Result};
use brownian::host::{OwnedModel, PlanSpec, Report};
use clap::Args;
use std::path::{Path, PathBuf};

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
        PlanSpec::parse_all(&self.plans)?;
        files::check_writable(&self.out)?;
        let run = checkpoint::load(&self.run)?;
        let data = crate::data::recorded(&run.config.data);
        let inside = std::fs::read_dir(&self.run).into_iter().flatten().flatten().map(|entry| entry.path());
        let folders: Vec<PathBuf> = inside.filter(|path| path.is_dir()).collect();
        let read: Vec<&Path> = folders.iter().map(PathBuf::as_path).chain([Path::new(&data)]).collect();
        files::check_apart(&read, &[("--out", &self.out)])?;
        self.say_what_is_doubtful(&run);
        let asked = if self.plans.is_empty() { default_plans(&run)? } else { self.plans };
        let choices = Choices {
            weights: self.weights,
            ranges: self.ranges,
            bias_correction: self.bias_correction == Switch::On,
            state: self.state,
        };
        let Lowered { file: bytes, warnings, .. } = {
            let _busy = Busy::new("quantizing");
            export::export(&run, &asked, &choices)?
        };
        warnings.iter().for_each(|warning| note(format_args!("warning: {warning}")));
        let choice = winograd::choose(&bytes, self.scratch)?;
        winograd::describe(&bytes, self.scratch, &choice)?.iter().for_each(note);
        let bytes = choice.file;
        files::write_atomically(&self.out, &bytes)?;
        let file = OwnedModel::new(&bytes)?;
        note(format_args!("{}: {}", self.out.display(), Report::new(&file.model(), bytes.len()).needs()));
        Ok(())
    }

    fn say_what_is_doubtful(&self, run: &Checkpoint) {
        let (step, run_steps) = (run.step(), run.config.steps);
        match run.config.fine_tuning {
            None if run.packed_at.is_some() && step == 0 => note(format_args!(
                "warning: {} holds weights of step 0; unless they were trained elsewhere, the model draws noise",
                self.run.display()
            )),
            None if run.packed_at.is_some() && step < run_steps && run.config.minutes.is_none() => note(format_args!(
                "warning: {} holds the weights of step {step} of {run_steps}; `trainer train --from` starts another training \
                 from them",
                self.run.display()
            )),
            Some(_) if run.unfinished.is_some() => note(format_args!(
                "warning: the fine-tuning in {} is not finished; `trainer finetune --resume` goes on",
                self.run.display()
            )),
            None if step == 0 => {
                note(format_args!("warning: {} has made no step, so the model draws noise", self.run.display()));
            }
            None if step < run_steps && run.config.minutes.is_none() => note(format_args!(
                "warning: {} stands at step {step} of {run_steps}; `trainer train --resume` goes on",
                self.run.display()
            )),
            _ => {}
        }
    }
}

/// The plans of a model for which none are asked: those that the run's schedule has timesteps for.
fn default_plans(run: &Checkpoint) -> Result<Vec<String>> {
    let fits = |plan: &String| run.config.plans(std::slice::from_ref(plan)).is_ok();
    let (fitting, others): (Vec<String>, Vec<String>) = export::usual_plans(&run.config).into_iter().partition(fits);
    if fitting.is_empty() {
        return Err(Error::Usage(format!(
            "none of the usual plans fits {} timesteps; give --plan",
            run.config.timesteps
        )));
    }
    if !others.is_empty() {
        note(format_args!("left out, as the run has {} timesteps: {}", run.config.timesteps, others.join(", ")));
    }
    Ok(fitting)
}
