//! The window of a convolution.

use super::fault::OpFault;
use crate::format::{record, Tensor};
use crate::kernels::Window;
#[cfg(feature = "long")]
use crate::long::Reach;

record! {
    /// Taps, strides, padding and dilation, each (vertical, horizontal).
    #[derive(Eq)]
    pub struct WindowSpec {
        /// Taps.
        pub kernel: [u16; 2],
        /// Distance between outputs.
        pub stride: [u16; 2],
        /// Padding above and to the left.
        pub pad: [u16; 2],
        /// Distance between taps.
        pub dilation: [u16; 2],
    }
}

impl WindowSpec {
    /// Number of taps.
    pub const fn taps(&self) -> usize {
        self.kernel[0] as usize * self.kernel[1] as usize
    }

    /// The window as kernels take it.
    pub fn window(&self) -> Window {
        let wide = |v: [u16; 2]| v.map(usize::from);
        Window {
            kernel: wide(self.kernel),
            stride: wide(self.stride),
            pad: wide(self.pad),
            dilation: wide(self.dilation),
        }
    }

    /// From the first to the last tap along an axis.
    pub(super) fn span(&self, axis: usize) -> u32 {
        (self.kernel[axis] as u32).saturating_sub(1) * self.dilation[axis] as u32 + 1
    }

    /// The output follows from the window: no window lies wholly in the padding of an input of this height and width.
    #[inline(never)]
    pub(super) fn check(&self, input: [u32; 2], output: &Tensor) -> Result<(), OpFault> {
        for axis in 0..2 {
            let [kernel, stride, pad, dilation] =
                [self.kernel, self.stride, self.pad, self.dilation].map(|v| v[axis] as u32);
            if kernel == 0 || stride == 0 || dilation == 0 {
                return Err(OpFault::Shape);
            }
            let span = self.span(axis);
            let last = (output.shape[axis] as u32).saturating_sub(1) * stride;
            if span > u16::MAX as u32 || pad >= span || last >= input[axis] + pad {
                return Err(OpFault::Shape);
            }
        }
        Ok(())
    }

    /// How far a column of the output looks, from how far one of the input does.
    #[cfg(feature = "long")]
    pub(super) fn reach(&self, input: Reach) -> Option<Reach> {
        let [stride, pad] = [self.stride, self.pad].map(|v| v[1] as u32);
        input.seen_through(self.span(1), stride, pad)
    }
}
