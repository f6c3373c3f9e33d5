//! Inputs of convolutions.

use super::buffers::as_i8;
use crate::format::{record, Tensor};
use crate::kernels::Source;
#[cfg(feature = "long")]
use crate::long::Reach;

record! {
    /// An input of a convolution.
    #[derive(Eq)]
    pub struct ConvInput {
        /// The tensor.
        pub tensor: Tensor,
        /// Whether it is read enlarged twofold (nearest neighbour).
        pub upsample: bool,
    }
}

impl ConvInput {
    /// Height and width as read.
    pub(super) fn extent(&self) -> [u32; 2] {
        let [h, w, _] = self.tensor.shape.map(u32::from);
        [h << self.upsample as u32, w << self.upsample as u32]
    }

    /// The input as kernels take it.
    pub(super) fn source<'d>(&self, data: &'d [u8]) -> Source<'d> {
        let [height, width, channels] = self.tensor.shape.map(usize::from);
        Source {
            data: as_i8(data),
            height,
            width,
            channels,
            upsample: self.upsample as u8,
            zero_point: self.tensor.zero_point,
        }
    }

    /// How far a column as the convolution reads it looks, from how far a column of the tensor does.
    #[cfg(feature = "long")]
    pub(super) fn reach(&self, tensor: Reach) -> Option<Reach> {
        tensor.enlarged(1 << self.upsample as u32)
    }
}
