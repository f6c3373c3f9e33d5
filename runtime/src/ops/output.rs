//! Outputs as kernels take them.

use super::buffers::as_i8_mut;
use crate::format::{Element, Tensor};
use crate::kernels::Output;
use core::cell::Cell;

/// The bytes of `tensor`, or of a part of it, as elements.
pub(super) fn output<'o>(tensor: &Tensor, bytes: &'o mut [u8]) -> Option<Output<'o>> {
    Some(match tensor.element {
        Element::I8 => activations(bytes),
        Element::I16 => Output::I16(cells(bytemuck::try_cast_slice_mut(bytes).ok()?)),
    })
}

/// Bytes as activations.
pub(super) fn activations(bytes: &mut [u8]) -> Output<'_> {
    Output::I8(cells(as_i8_mut(bytes)))
}

fn cells<T>(values: &mut [T]) -> &[Cell<T>] {
    Cell::from_mut(values).as_slice_of_cells()
}
