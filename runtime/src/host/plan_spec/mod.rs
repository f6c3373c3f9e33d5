//! Plans as they are asked for on the command line: what one is, how it is written, which steps it has.

mod grammar;
mod steps;

use crate::parse::MAX_PLANS;
use crate::plan::{Method, Spacing, Start};
use core::fmt;
use std::format;
use std::string::String;
use std::vec::Vec;

type Result<T> = core::result::Result<T, PlanSpecError>;

/// Why a plan could not be read or built: a line for whoever asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanSpecError(String);

impl fmt::Display for PlanSpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for PlanSpecError {}

/// A plan to build.
///
/// ```
/// use brownian::host::PlanSpec;
/// use brownian::plan::{schedule::Schedule, Prediction};
///
/// let mut alpha_bar = [0.0; 1000];
/// Schedule::COSINE.alpha_bars(&mut alpha_bar);
/// let spec: PlanSpec = "fast=dpm:5:first=0.93".parse()?;
/// let steps = spec.steps(Prediction::V, &alpha_bar, &[])?;
/// assert_eq!((&spec.name[..], steps.len(), steps[0].timestep), ("fast", 5, 930));
/// assert!("dpm".parse::<PlanSpec>().unwrap_err().to_string().contains("the number of steps is missing"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct PlanSpec {
    /// Its name in the model.
    pub name: String,
    /// Its method; `None` for the one of the binomial process.
    pub method: Option<Method>,
    /// Number of steps; of a method that repeats its timesteps, steps a level.
    pub steps: usize,
    /// A schedule of its own: β of every step, from the last to the first, as in DiffWave's fast sampling. Levels then lie
    /// between the timesteps of training, where [`plan::aligned`](crate::plan::aligned) says.
    pub betas: Option<Vec<f64>>,
    /// Where it starts, as a share of T.
    pub first: First,
    /// The lowest timestep that it visits, where it is not that of its spacing.
    pub last: First,
    /// How its timesteps are spaced from there; `None`: as is usual with the method.
    pub spacing: Option<Spacing>,
    /// Of a method with several steps a level, the number of levels; `None`: every timestep is one.
    pub levels: Option<usize>,
    /// Langevin steps behind each step but the last.
    pub corrector: usize,
    /// Whether x0_hat is clipped to [-1, 1].
    pub clip: bool,
    /// What x_T is drawn from.
    pub start: Start,
}

/// Most steps of a plan.
const MOST_STEPS: usize = u16::MAX as usize;

/// The method of the binomial process: q(x_s | x_t, x0) with p̂ for x0, from timestep to timestep.
const BITS: &str = "bits";

/// The first timestep of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum First {
    /// A timestep.
    Timestep(u32),
    /// A share of T, at most 1.
    Share(f64),
}

impl PlanSpec {
    /// Parses specs and refuses two plans of one name.
    ///
    /// # Errors
    /// More plans than a model file holds, a spec that does not parse, or a name that is taken.
    pub fn parse_all(texts: &[String]) -> Result<Vec<Self>> {
        if texts.len() > usize::from(MAX_PLANS) {
            return Err(PlanSpecError(format!("{} plans; a model file holds at most {MAX_PLANS}", texts.len())));
        }
        let mut specs: Vec<Self> = Vec::new();
        for text in texts {
            let spec: Self = text.parse()?;
            if specs.iter().any(|s| s.name == spec.name) {
                return Err(PlanSpecError(format!("two plans are called {}; name them NAME=SPEC", spec.name)));
            }
            specs.push(spec);
        }
        Ok(specs)
    }

    fn fail(&self, what: impl fmt::Display) -> PlanSpecError {
        PlanSpecError(format!("plan {}: {what}", self.name))
    }
}
