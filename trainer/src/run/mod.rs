//! A run on disk: its configuration and its checkpoints. Training and fine-tuning lie above it.
mod check;
pub mod checkpoint;
mod config;
mod difference;
mod fine_tuning;
mod history;
mod lock;
mod tensors;

pub use check::{check_step, MOST_STEPS};
pub use checkpoint::{Checkpoint, Unfinished};
pub use config::Config;
pub use difference::difference;
pub use fine_tuning::{Distance, FineTuning};
pub use history::Validation;
pub use lock::Lock;
pub use tensors::Tensors;
