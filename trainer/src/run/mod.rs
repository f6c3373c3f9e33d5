//! A run on disk: its configuration and its checkpoints. Training and fine-tuning lie above it.
pub mod checkpoint;
mod config;
mod fine_tuning;

pub use checkpoint::{Checkpoint, Validation};
pub use config::Config;
pub use fine_tuning::FineTuning;
