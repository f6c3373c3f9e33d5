//! Why a plan could not be made.

use core::fmt;

/// Why a plan could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No timesteps, or more steps than `out` holds.
    Length,
    /// Timesteps rise, or are not within 1..=T; the index of the first wrong one.
    Timesteps(usize),
    /// A step stays at its timestep, and its method makes nothing of that.
    Repeated {
        /// The step.
        step: usize,
        /// The method's name.
        method: &'static str,
    },
    /// More steps than timesteps from the first one down.
    TooMany {
        /// Steps asked for.
        steps: usize,
        /// The first timestep.
        first: u32,
    },
    /// ε-prediction at a timestep with ᾱ = 0, where ε̂ says nothing about x_0.
    NoSignal {
        /// The timestep.
        timestep: u32,
    },
    /// ᾱ does not fall strictly from 1 at t = 0 to T, where it may be 0.
    Schedule {
        /// The first timestep at which it does not.
        timestep: u32,
    },
    /// A method that needs the mean squared error of x0_hat, without a table of it or with one of another length.
    NoErrors,
    /// A coefficient of this step is not finite.
    NotFinite(usize),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("it has no steps, or more than there is room for"),
            Self::Timesteps(step) => {
                write!(f, "the timestep of step {step} is above the one before it, or not from 1 to T")
            }
            Self::Repeated { step, method } => write!(
                f,
                "step {step} stays at its timestep, where {method} would do nothing: let timesteps fall, add a corrector, or use \
                 langevin"
            ),
            Self::TooMany { steps, first } => write!(f, "{steps} steps do not fit {first} timesteps"),
            Self::NoSignal { timestep } => write!(
                f,
                "epsilon-prediction cannot start at timestep {timestep}, where alpha_bar is 0: predict v or x0, or \
                 start lower"
            ),
            Self::Schedule { timestep } => {
                write!(f, "alpha_bar does not fall strictly within 0 to 1 at timestep {timestep}")
            }
            Self::NoErrors => f.write_str(
                "its variance is learned, and this schedule is not: train with --schedule learned, or choose beta or beta-tilde",
            ),
            Self::NotFinite(step) => write!(f, "a coefficient of step {step} is not finite"),
        }
    }
}

impl core::error::Error for PlanError {}
