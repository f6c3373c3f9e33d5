//! What follows from an op's fields: inputs, output, scratch, sizes, what may share a buffer.

use super::types::*;
use crate::kernels::{conv_scratch, depthwise_in_place, depthwise_scratch, row_stride, Window};

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
}

impl Requantization {
    /// Bytes of scratch for the biases of `channels` outputs of one step.
    pub const fn scratch_len(&self, channels: usize) -> usize {
        if self.step_bias.is_some() {
            4 * channels
        } else {
            0
        }
    }
}

impl Conv2d {
    /// Channels of both inputs.
    pub const fn input_channels(&self) -> usize {
        let b = match &self.b {
            Some(b) => b.tensor.shape[2] as usize,
            None => 0,
        };
        self.a.tensor.shape[2] as usize + b
    }

    /// Bytes of scratch: biases of the step, then the kernel's own.
    pub const fn scratch_len(&self) -> usize {
        self.requantization.scratch_len(self.output.shape[2] as usize)
            + conv_scratch(self.window.taps() * self.input_channels())
    }
}

impl Depthwise {
    /// Bytes of scratch: biases of the step, then the kernel's own.
    pub fn scratch_len(&self) -> usize {
        let [_, width, channels] = self.output.shape.map(usize::from);
        self.requantization.scratch_len(channels) + depthwise_scratch(&self.window.window(), width)
    }

    /// Whether the output may be written over the input.
    pub fn may_work_in_place(&self) -> bool {
        let input = &self.input;
        input.tensor.shape == self.output.shape
            && depthwise_in_place(&self.window.window(), input.upsample as u8)
            && self.requantization.residual.is_none()
    }
}

impl Linear {
    /// Bytes of scratch.
    pub const fn scratch_len(&self) -> usize {
        self.requantization.scratch_len(self.output.values())
    }
}

impl Packed<Conv2d> {
    /// Output channels unpacked at a time.
    pub fn channels(&self) -> usize {
        (self.block as usize).clamp(1, (self.layer.output.shape[2] as usize).max(1))
    }

    /// Bytes of a row of weights, unpacked.
    pub const fn row_len(&self) -> usize {
        row_stride(self.layer.window.taps() * self.layer.input_channels())
    }

    /// Bytes of the outputs of one block, which lie apart until they are done; 0 where one block is all.
    pub fn outputs_len(&self) -> usize {
        let [height, width, channels] = self.layer.output.shape.map(usize::from);
        if self.channels() < channels {
            (height * width * self.channels() * self.layer.output.element.size()).next_multiple_of(4)
        } else {
            0
        }
    }

    /// Bytes of scratch: those of the layer with biases first, then a block's rows, then its outputs.
    pub fn scratch_len(&self) -> usize {
        self.layer.scratch_len() + self.channels() * self.row_len() + self.outputs_len()
    }
}

impl Packed<Linear> {
    /// Outputs unpacked at a time.
    pub fn outputs(&self) -> usize {
        (self.block as usize).clamp(1, self.layer.output.values().max(1))
    }

    /// Bytes of a row of weights, unpacked.
    pub const fn row_len(&self) -> usize {
        row_stride(self.layer.input.values())
    }

    /// Bytes of scratch: those of the layer, then a block's rows.
    pub fn scratch_len(&self) -> usize {
        self.layer.scratch_len() + self.outputs() * self.row_len()
    }
}

impl Op {
    /// The result.
    pub const fn output(&self) -> &Tensor {
        match self {
            Self::Conv2d(op) | Self::PackedConv2d(Packed { layer: op, .. }) => &op.output,
            Self::Depthwise(op) => &op.output,
            Self::Linear(op) | Self::PackedLinear(Packed { layer: op, .. }) => &op.output,
            Self::Add(op) => &op.output,
            Self::ChannelBias(op) => &op.output,
            Self::Concat(op) => &op.output,
            Self::Lut(op) => &op.output,
            Self::Upsample(op) | Self::SpaceToDepth(op) | Self::DepthToSpace(op) => &op.output,
        }
    }

    /// The inputs, in order: operands, then a residual.
    pub fn inputs(&self) -> impl Iterator<Item = &Tensor> {
        let list: [Option<&Tensor>; 3] = match self {
            Self::Conv2d(op) | Self::PackedConv2d(Packed { layer: op, .. }) => {
                [Some(&op.a.tensor), op.b.as_ref().map(|b| &b.tensor), op.requantization.residual()]
            }
            Self::Depthwise(op) => [Some(&op.input.tensor), None, op.requantization.residual()],
            Self::Linear(op) | Self::PackedLinear(Packed { layer: op, .. }) => {
                [Some(&op.input), None, op.requantization.residual()]
            }
            Self::Add(op) => [Some(&op.a), Some(&op.b), None],
            Self::ChannelBias(op) => [Some(&op.input), None, None],
            Self::Concat(op) => [Some(&op.a), Some(&op.b), None],
            Self::Lut(op) => [Some(&op.input), None, None],
            Self::Upsample(op) | Self::SpaceToDepth(op) | Self::DepthToSpace(op) => [Some(&op.input), None, None],
        };
        list.into_iter().flatten()
    }

    /// Start and length of the scratch, if the op has one.
    pub fn scratch(&self) -> Option<(u32, usize)> {
        match self {
            Self::Conv2d(op) => Some((op.scratch, op.scratch_len())),
            Self::Depthwise(op) => Some((op.scratch, op.scratch_len())),
            Self::Linear(op) => Some((op.scratch, op.scratch_len())),
            Self::PackedConv2d(op) => Some((op.layer.scratch, op.scratch_len())),
            Self::PackedLinear(op) => Some((op.layer.scratch, op.scratch_len())),
            _ => None,
        }
    }

    /// Whether the weights have four bits.
    pub const fn is_packed(&self) -> bool {
        matches!(self, Self::PackedConv2d(_) | Self::PackedLinear(_))
    }

    /// Multiply-accumulates of one evaluation, taps in the padding counted.
    pub fn macs(&self) -> u64 {
        match self {
            Self::Conv2d(op) | Self::PackedConv2d(Packed { layer: op, .. }) => {
                let per_output = op.window.taps() * op.input_channels() / (op.groups as usize).max(1);
                op.output.values() as u64 * per_output as u64
            }
            Self::Depthwise(op) => op.output.values() as u64 * op.window.taps() as u64,
            Self::Linear(op) | Self::PackedLinear(Packed { layer: op, .. }) => {
                op.output.values() as u64 * op.input.values() as u64
            }
            _ => 0,
        }
    }
}

impl Requantization {
    fn residual(&self) -> Option<&Tensor> {
        self.residual.as_ref().map(|r| &r.tensor)
    }
}

impl ConvInput {
    /// Height and width as read.
    pub(super) fn extent(&self) -> [u64; 2] {
        let [h, w, _] = self.tensor.shape.map(u64::from);
        [h << self.upsample as u32, w << self.upsample as u32]
    }
}

impl Op {
    /// Whether input number `index` may be the output's own buffer.
    pub(super) fn may_work_in_place(&self, index: usize) -> bool {
        match self {
            Self::Conv2d(op) | Self::PackedConv2d(Packed { layer: op, .. }) => {
                op.requantization.residual.is_some() && index == 1 + op.b.is_some() as usize
            }
            Self::Depthwise(op) => match index {
                0 => op.may_work_in_place(),
                _ => op.requantization.residual.is_some(),
            },
            Self::Linear(op) | Self::PackedLinear(Packed { layer: op, .. }) => {
                op.requantization.residual.is_some() && index == 1
            }
            Self::Add(_) | Self::ChannelBias(_) | Self::Lut(_) => index == 0,
            _ => false,
        }
    }
}
