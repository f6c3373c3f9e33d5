//! Signals longer than a model's own, in the arena of the model.
//!
//! | file | what it is |
//! |---|---|
//! | `reach.rs` | how far a network's outputs look: its receptive field |
//! | `pieces.rs` | where a signal is cut into windows that overlap |
//! | `sampler.rs` | the chain |
//! | `error.rs` | why there is none |

mod error;
mod pieces;
mod reach;
mod sampler;

pub use error::LongError;
pub use pieces::Pieces;
pub(crate) use reach::Reach;
pub use sampler::LongSampler;
