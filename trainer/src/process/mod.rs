//! Processes, one file each: how noise is added to data, what a network learns of it, and what the variational bound
//! charges.
//!
//! A process says x_t of clean data and noise, the target of the network's output F and the weight of its error, the
//! estimates that follow from F, and the terms of the bound. Training, validation, fine-tuning and evaluation ask it
//! and hold no formula.
mod binomial;
mod either;
mod gaussian;
mod learned;
mod likelihood;
mod name;
mod objective;
mod schedule;

pub use binomial::Binomial;
pub use either::Process;
pub use gaussian::{Gaussian, Mix};
pub use learned::{push as push_learned, start as learned_start, Learned, Learning, Noised};
pub use name::{Activity, ProcessName, BIT_TIMESTEPS, GRAMMAR as PROCESSES};
pub use objective::{Prediction, Weighting};
pub use schedule::{ScheduleName, GRAMMAR as SCHEDULES, LEARNED_TIMESTEPS};
