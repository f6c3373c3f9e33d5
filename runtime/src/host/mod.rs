//! What only hosts need, behind the feature `host` and with the standard library: the encoder of model files, the arena
//! planner, the search for multipliers, memory for models and chains, what boards have, and one evaluation op by op. Firmware leaves the
//! feature off.

mod aligned;
pub mod boards;
mod chain_memory;
mod encode;
mod multipliers;
mod owned;
pub mod planner;
mod probe;

pub use aligned::AlignedBytes;
pub use chain_memory::ChainMemory;
pub use encode::{encode, encode_item, frame, with_state, EncodeError};
pub use multipliers::multipliers;
pub use owned::{NoPlan, OwnedModel, ReadCause, ReadError};
pub use probe::probe;
