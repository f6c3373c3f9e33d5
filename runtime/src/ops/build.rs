//! What hosts need to build a model from ops, and to describe it.

use super::list::Op;
use crate::format::Tensor;
use std::string::String;
use std::vec::Vec;

impl Op {
    /// All tensors of the op, for a builder to place: the result and the inputs, in no order.
    pub fn tensors_mut(&mut self) -> Vec<&mut Tensor> {
        self.operation_mut().tensors_mut()
    }

    /// Where the op says that its scratch starts, for a builder to place.
    pub fn scratch_mut(&mut self) -> Option<&mut u32> {
        self.operation_mut().scratch_mut()
    }

    /// The output channels that four-bit weights are unpacked for at a time, for a builder to choose; `None` for weights of
    /// eight bits.
    pub fn block_mut(&mut self) -> Option<&mut u16> {
        self.operation_mut().block_mut()
    }

    /// Whether the weights have four bits.
    pub fn is_packed(&self) -> bool {
        let mut copy = *self;
        copy.block_mut().is_some()
    }

    /// Whether it adds channel biases, which are those of a step.
    pub fn has_step_bias(&self) -> bool {
        let requantization = match self {
            Self::ChannelBias(_) => return true,
            Self::Conv2d(op) => &op.requantization,
            Self::Depthwise(op) => &op.requantization,
            Self::Linear(op) => &op.requantization,
            Self::PackedConv2d(op) => &op.layer.requantization,
            Self::PackedLinear(op) => &op.layer.requantization,
            Self::WinogradConv2d(op) => &op.layer.requantization,
            _ => return false,
        };
        requantization.step_bias.is_some()
    }

    /// The input over which the result may be written, if that input is not read in another place as well.
    pub fn in_place_candidate(&self) -> Option<&Tensor> {
        let op = self.operation();
        let operands = op.operands();
        let alone = |tensor: &Tensor| operands.iter().flatten().filter(|t| t.offset == tensor.offset).count() == 1;
        operands
            .into_iter()
            .enumerate()
            .filter_map(|(place, tensor)| tensor.filter(|_| op.may_work_in_place(place)))
            .find(|tensor| alone(tensor))
    }

    /// What the op is, for people: the kind, its size, and what is fused with it.
    pub fn label(&self) -> String {
        self.operation().label()
    }

    /// Bytes of the op's weights, biases and multipliers.
    pub fn weight_bytes(&self) -> usize {
        self.operation().weight_bytes()
    }
}
