//! Training: Algorithm 1 of Ho et al. 2020 with Adam, an average of the weights and checkpoints.
pub(crate) mod draws;
pub(crate) mod model;
mod record;
mod run;
mod start;
pub(crate) mod trainer;
mod validation;
pub mod warnings;

pub use draws::Draw;
pub use model::{forward, Batch, Output};
pub use run::{run, Event, Progress};
pub use trainer::{step_bytes, Trainer};
