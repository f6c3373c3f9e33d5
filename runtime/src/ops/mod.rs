//! The network's ops, one file each: an op's fields and how they are read, its rule for parsing, its scratch, which inputs
//! may be the output's buffer, its multiply-accumulates, and what it computes. `list` names them all.
//!
//! ```
//! use brownian::{include_model, Model};
//!
//! static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
//! let model = Model::parse(FILE)?;
//! let macs: u64 = model.ops().map(|op| op.macs()).sum();
//! let largest = model.ops().map(|op| op.output().len()).max();
//! assert!(macs > 100_000 && largest <= Some(model.arena_len()));
//! # Ok::<(), brownian::ParseError>(())
//! ```

mod add;
mod buffers;
#[cfg(feature = "host")]
mod build;
mod channel_bias;
pub(crate) mod checker;
mod concat;
#[cfg(feature = "constant")]
mod constant;
mod conv2d;
mod conv_input;
mod depth_to_space;
mod depthwise;
pub(crate) mod evaluation;
mod fault;
mod gate;
mod linear;
mod list;
#[cfg(feature = "local")]
mod local_condition;
mod lut;
mod operation;
mod output;
#[cfg(feature = "four-bit")]
mod packed;
#[cfg(feature = "four-bit")]
mod packed_conv2d;
#[cfg(feature = "four-bit")]
mod packed_linear;
mod pixel_blocks;
mod requantization;
mod space_to_depth;
pub(crate) mod step_bias;
#[cfg(test)]
mod testing;
mod upsample;
mod weights;
mod window;
#[cfg(feature = "winograd")]
mod winograd_conv2d;

pub use add::Add;
pub use channel_bias::ChannelBias;
pub use concat::Concat;
#[cfg(feature = "constant")]
pub use constant::Constant;
pub use conv2d::Conv2d;
pub use conv_input::ConvInput;
pub use depth_to_space::DepthToSpace;
pub use depthwise::Depthwise;
pub use fault::OpFault;
pub use gate::Gate;
pub use linear::Linear;
pub(crate) use list::is_known;
pub use list::Op;
#[cfg(feature = "local")]
pub use local_condition::LocalCondition;
pub use lut::Lut;
#[cfg(feature = "four-bit")]
pub use packed::Packed;
pub use requantization::{Requantization, Residual};
pub use space_to_depth::SpaceToDepth;
pub use step_bias::StepBias;
pub use upsample::Upsample;
pub use window::WindowSpec;
#[cfg(feature = "winograd")]
pub use winograd_conv2d::WinogradConv2d;
