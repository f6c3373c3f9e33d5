//! Rules that shapes, shifts and weights have to keep.

use super::validate::{PART_LIMIT, PRODUCT_LIMIT};
use super::{Conv2d, Element, Move, Tensor, WindowSpec};
use crate::error::OpFault;
use crate::quant::SHIFT_RANGE;

pub(super) fn all_i8<const N: usize>(tensors: [&Tensor; N]) -> Result<(), OpFault> {
    if tensors.iter().all(|t| t.element == Element::I8) {
        Ok(())
    } else {
        Err(OpFault::Element)
    }
}

pub(super) fn same_shape(a: &Tensor, b: &Tensor) -> Result<(), OpFault> {
    if a.shape == b.shape {
        Ok(())
    } else {
        Err(OpFault::Shape)
    }
}

/// An op that moves values: `big` has the shape given, both have the same element.
pub(super) fn moved(small: &Tensor, big: &Tensor, shape: [u64; 3]) -> Result<(), OpFault> {
    if small.element != big.element {
        return Err(OpFault::Element);
    }
    if big.shape.map(u64::from) != shape {
        return Err(OpFault::Shape);
    }
    Ok(())
}

/// `fine` is `coarse` with its channels spread over blocks of pixels.
pub(super) fn blocks(op: &Move, coarse: &Tensor, fine: &Tensor) -> Result<(), OpFault> {
    let [h, w, c] = coarse.shape.map(u32::from);
    let [rows, columns] = op.block.map(u32::from);
    let block = rows * columns;
    if block == 0 || !c.is_multiple_of(block) {
        return Err(OpFault::Shape);
    }
    moved(coarse, fine, [h * rows, w * columns, c / block].map(u64::from))
}

pub(super) fn final_shift(shift: u8, offset: i32) -> Result<(), OpFault> {
    if SHIFT_RANGE.contains(&shift) && offset.unsigned_abs() as u64 <= PART_LIMIT {
        Ok(())
    } else {
        Err(OpFault::Requantization)
    }
}

pub(super) fn no_minimum(weights: &[u8]) -> Result<(), OpFault> {
    if weights.contains(&0x80) {
        Err(OpFault::Weight)
    } else {
        Ok(())
    }
}

/// The output follows from the window: no window lies wholly in the padding.
pub(super) fn window_shape(window: &WindowSpec, input: [u64; 2], output: &Tensor) -> Result<(), OpFault> {
    for axis in 0..2 {
        let [kernel, stride, pad, dilation] =
            [window.kernel, window.stride, window.pad, window.dilation].map(|v| v[axis] as u64);
        if kernel == 0 || stride == 0 || dilation == 0 {
            return Err(OpFault::Shape);
        }
        let span = (kernel - 1) * dilation + 1;
        let last = (output.shape[axis] as u64 - 1) * stride;
        if span > u16::MAX as u64 || pad >= span || last >= input[axis] + pad {
            return Err(OpFault::Shape);
        }
    }
    Ok(())
}

/// Bytes of the rows that a depthwise convolution keeps, in u64 because it is not bounded yet.
pub(super) fn ring_len(window: &WindowSpec, output: &Tensor) -> u64 {
    let span = |axis: usize| (window.kernel[axis] as u64 - 1) * window.dilation[axis] as u64 + 1;
    8 * span(0) * (output.shape[1] as u64 * window.stride[1] as u64 + span(1))
}

pub(super) fn conv_shape(conv: &Conv2d) -> Result<(), OpFault> {
    window_shape(&conv.window, conv.a.extent(), &conv.output)?;
    all_i8([&conv.a.tensor])?;
    if let Some(b) = &conv.b {
        all_i8([&b.tensor])?;
        if b.extent() != conv.a.extent() {
            return Err(OpFault::Shape);
        }
    }
    let taps = conv.window.kernel[0] as u64 * conv.window.kernel[1] as u64;
    let channels = conv.input_channels() as u64;
    if taps * channels * PRODUCT_LIMIT > PART_LIMIT {
        return Err(OpFault::Accumulator);
    }
    let groups = conv.groups as u32;
    if groups == 0 || !(channels as u32).is_multiple_of(groups) || !(conv.output.shape[2] as u32).is_multiple_of(groups)
    {
        return Err(OpFault::Shape);
    }
    Ok(())
}
