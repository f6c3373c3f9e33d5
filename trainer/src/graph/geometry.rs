//! The geometry of a convolution.
use crate::{Error, Result};
use serde::Serialize;

/// Kernel, stride, zero padding and dilation of a convolution, each as [vertical, horizontal].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct ConvGeometry {
    /// Kernel height and width.
    pub kernel: [usize; 2],
    /// Step between outputs.
    pub stride: [usize; 2],
    /// Zeros added on either side.
    pub pad: [usize; 2],
    /// Distance between kernel taps.
    pub dilation: [usize; 2],
    /// One filter a channel (groups = input channels = output channels) instead of a dense convolution.
    pub depthwise: bool,
}

impl ConvGeometry {
    /// A square kernel, padded so that stride 1 keeps the size.
    pub const fn square(kernel: usize, stride: usize) -> Self {
        let pad = kernel / 2;
        Self { kernel: [kernel; 2], stride: [stride; 2], pad: [pad; 2], dilation: [1; 2], depthwise: false }
    }

    /// A horizontal kernel for signals of height 1, padded so that the length is kept.
    pub const fn line(kernel: usize, dilation: usize) -> Self {
        Self {
            kernel: [1, kernel],
            stride: [1; 2],
            pad: [0, dilation * (kernel - 1) / 2],
            dilation: [1, dilation],
            depthwise: false,
        }
    }

    /// The same geometry with one filter a channel.
    pub const fn depthwise(self) -> Self {
        Self { depthwise: true, ..self }
    }

    /// Whether every output sees exactly the input at its own position.
    pub fn is_pointwise(&self) -> bool {
        self.kernel == [1; 2] && self.stride == [1; 2] && self.pad == [0; 2]
    }

    /// Number of kernel taps.
    pub const fn taps(&self) -> usize {
        self.kernel[0] * self.kernel[1]
    }

    /// Output height and width for an input of `height` × `width`.
    ///
    /// # Errors
    /// A zero kernel, stride or dilation, padding not smaller than the dilated kernel, or a kernel larger than the
    /// padded input.
    pub fn output(&self, height: usize, width: usize) -> Result<[usize; 2]> {
        let mut out = [0; 2];
        for (axis, size) in [height, width].into_iter().enumerate() {
            let (kernel, stride, dilation) = (self.kernel[axis], self.stride[axis], self.dilation[axis]);
            if kernel == 0 || stride == 0 || dilation == 0 {
                return Err(Error::Invalid(
                    "a convolution needs a kernel, a stride and a dilation of at least 1".into(),
                ));
            }
            let reach = dilation * (kernel - 1) + 1;
            let padded = size + 2 * self.pad[axis];
            if self.pad[axis] >= reach || reach > padded {
                return Err(Error::Invalid(format!(
                    "a kernel reaching over {reach} with padding {} does not fit an input of {size}",
                    self.pad[axis]
                )));
            }
            out[axis] = (padded - reach) / stride + 1;
        }
        Ok(out)
    }
}
