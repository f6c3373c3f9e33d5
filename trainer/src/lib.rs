//! x
pub mod autograd;
pub mod error;
pub mod graph;
pub mod presets;
pub use error::{Error, Result};
