//! The one description of a network: a flat list of nodes over named parameters.
//!
//! The same [`Graph`] drives initialisation, parameter and MAC counts, the training pass, the folded float network and,
//! through it, quantization and export. Activations are NHWC, weights OHWI. The conditioning network (time and class)
//! stays on the host: it yields one vector of *bias columns* an image, of which every [`crate::ops::ChannelBias`] adds
//! its own range.
//!
//! What a node computes is an [`Op`]; everything that an op knows is in its file in [`crate::ops`].
pub mod builder;
pub mod conditioning;
pub mod geometry;
pub mod layout;
pub mod node;
pub mod shape;

pub use crate::ops::Op;
pub use builder::Builder;
pub use conditioning::{Conditioning, TimeColumns, TunedPlan};
pub use geometry::ConvGeometry;
pub use layout::{Block, BlockId, Init, Layout};
pub use node::{Graph, Node};
pub use shape::{NodeId, Shape};
