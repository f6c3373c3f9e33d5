//! Sampling plans: every sampling method as a table of one affine update.
//!
//! A step of a plan evaluates the network at a timestep and moves the state to the level of the next one. With F the
//! network's output,
//!
//! ```text
//! x0_hat = clip(k_x·x_t + k_eps·F)
//! x      = a·x_t + b·x0_hat + c·x0_hat_prev + sigma·z
//! ```
//!
//! Everything here is arithmetic in f64 that the exporter does once; a chip reads the finished [`Step`]s as f32. It
//! needs no memory but the caller's, so that a chip may make a plan of its own, too.
//!
//! | file | what it is |
//! |---|---|
//! | `step.rs` | [`Step`] and [`Level`]: what a chip reads |
//! | [`schedule`] | β_t and ᾱ_t |
//! | `spacing.rs` | which timesteps a plan visits |
//! | `prediction.rs` | what the network's output stands for |
//! | `method.rs`, `methods.rs` | what a method is, and the list of them |
//! | `aligned.rs` | levels between the timesteps, for plans with a schedule of their own |
//! | `ddpm.rs`, `ddim.rs`, `dpm_solver.rs`, `langevin.rs`, `diffwave.rs` | a method each: one function |
//! | `corrector.rs` | Langevin steps behind those of any method |
//! | `build.rs` | from schedule, timesteps and method to steps |
//!
//! A new method is a file with one function, and an entry of the list in `methods.rs`.
//!
//! ```
//! use brownian::plan::{build, schedule::Schedule, Method, Prediction, Spacing, Step};
//!
//! let mut alpha_bar = [0.0; 1000];
//! Schedule::COSINE.alpha_bars(&mut alpha_bar);
//! let mut timesteps = [0; 10];
//! Spacing::Uniform.timesteps(1000, &alpha_bar, &mut timesteps)?;
//! let mut steps = [Step::default(); 10];
//! build(Method::ddim(0.0), Prediction::V, &alpha_bar, &timesteps, &mut steps)?;
//! assert_eq!((steps[0].timestep, steps[9].sigma), (1000, 0.0));
//! # Ok::<(), brownian::plan::PlanError>(())
//! ```

mod aligned;
mod binomial;
mod build;
mod corrector;
mod ddim;
mod ddpm;
mod diffwave;
mod dpm_solver;
mod error;
mod langevin;
mod method;
mod methods;
mod prediction;
pub mod schedule;
mod spacing;
mod step;

pub use aligned::{aligned, FAST6};
pub use binomial::{build_bits, evenly_kept, marginal, own_logits, posterior, BitStep};
pub use build::{build, build_with_errors};
pub use ddpm::Variance;
pub use error::PlanError;
pub use method::{Coefficients, Method, MethodSpec, OptionError, OptionSpec, Transition, Values};
pub use methods::METHODS;
pub use prediction::Prediction;
pub use spacing::Spacing;
pub(crate) use step::is_finite;
pub use step::{Level, Start, Step, STEP_LEN};
