//! What only hosts need, behind the feature `host` and with the standard library: the encoder of model files, the arena
//! planner, the search for multipliers, memory for models and chains, the words in which plans and classes are asked for,
//! reports on models, what boards have, and one evaluation op by op. Firmware leaves the feature off.

mod aligned;
pub mod boards;
mod chain_memory;
mod classes;
mod encode;
mod live;
mod multipliers;
mod owned;
mod plan_spec;
pub mod planner;
mod probe;
mod report;
mod threads;

pub use aligned::{AlignedBytes, NoMemory};
pub use chain_memory::ChainMemory;
pub use classes::Classes;
pub use encode::{encode, encode_item, frame, with_state, EncodeError};
pub use live::{arena_lower_bound, live_ranges};
pub use multipliers::multipliers;
pub use owned::{NoPlan, OwnedModel, ReadCause, ReadError};
pub use plan_spec::{First, PlanSpec, PlanSpecError};
pub use probe::probe;
pub use report::{AxisReport, BoardReport, OpReport, PlanReport, Report};
pub use threads::Threads;
