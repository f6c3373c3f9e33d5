//! Training: Algorithm 1 of Ho et al. 2020 with Adam, an average of the weights and checkpoints.
pub(crate) mod draws;
pub(crate) mod model;
pub(crate) mod trainer;
mod validation;

pub use model::{forward, Batch, Output};
pub use trainer::{run, Progress, Trainer};
