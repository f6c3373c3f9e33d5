//! The ops of a network, one file an op: its shapes, parameters, both float passes and its lowering.
//!
//! To add one: write its file, which implements [`Operation`] and [`Layer`], and name it twice below.
mod activation;
mod add;
mod channel_bias;
mod concat;
mod conv;
mod depth_to_space;
pub mod folding;
mod gate;
mod input;
mod linear;
mod local_condition;
pub mod making;
pub mod operation;
pub mod passes;
mod positions;
mod space_to_depth;
mod upsample;

pub use activation::Activation;
pub use add::Add;
pub use channel_bias::{ChannelBias, ChannelBiasLayer};
pub use concat::Concat;
pub use conv::{Conv, ConvLayer, Norm};
pub use depth_to_space::DepthToSpace;
pub use gate::Gate;
pub use input::Input;
pub use linear::{Linear, LinearLayer};
pub use local_condition::LocalCondition;
pub use making::Layer;
pub use operation::{Operation, Weights};
pub use positions::Positions;
pub use space_to_depth::SpaceToDepth;
pub use upsample::Upsample;

use serde::Serialize;

/// Makes [`Op`] of the list of ops.
macro_rules! ops {
    ($($(#[$doc:meta])* $name:ident,)+) => {
        /// What a node computes: one of the list. Its methods are those of [`Operation`].
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Op {
            $($(#[$doc])* $name($name),)+
        }

        impl Op {
            /// As [`Operation::folded`].
            pub fn folded(&self, to: &mut folding::Folding) -> Self {
                match self {
                    $(Self::$name(op) => Self::$name(op.folded(to)),)+
                }
            }
        }

        impl std::ops::Deref for Op {
            type Target = dyn Operation;

            fn deref(&self) -> &Self::Target {
                match self {
                    $(Self::$name(op) => op,)+
                }
            }
        }

        $(impl From<$name> for Op {
            fn from(op: $name) -> Self {
                Self::$name(op)
            }
        })+
    };
}

ops! {
    /// The state x_t.
    Input,
    /// Blocks of pixels into channels.
    SpaceToDepth,
    /// Channels into blocks of pixels.
    DepthToSpace,
    /// Convolution, dense or depthwise, with an optional norm.
    Conv,
    /// Dense layer over all values.
    Linear,
    /// Biases that depend on the timestep and the class.
    ChannelBias,
    /// Pointwise non-linearity.
    Activation,
    /// Sum.
    Add,
    /// Channels of two values, one after the other.
    Concat,
    /// Nearest-neighbour enlargement.
    Upsample,
    /// Product of tanh of one value and sigmoid of another.
    Gate,
    /// Where each pixel is.
    Positions,
    /// What a chain follows place by place.
    LocalCondition,
}
