//! Outputs as kernels take them.

use super::buffers::as_i8_mut;
use crate::format::{Element, Tensor};
use crate::kernels::Output;

/// The bytes of `tensor`, or of a part of it, as elements.
pub(super) fn output<'o>(tensor: &Tensor, bytes: &'o mut [u8]) -> Option<Output<'o>> {
    Some(match tensor.element {
        Element::I8 => Output::I8(as_i8_mut(bytes)),
        Element::I16 => Output::I16(bytemuck::try_cast_slice_mut(bytes).ok()?),
    })
}
