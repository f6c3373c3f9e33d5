//! What the tests of ops share.

extern crate std;
use super::evaluation::Evaluation;
use super::list::Op;
use super::step_bias::StepBiases;
use crate::cores::Cores;
use crate::format::{Element, Tensor};
use proptest::prelude::*;
use std::vec::Vec;

pub(super) fn tensor(offset: usize, shape: [u16; 3], element: Element) -> Tensor {
    Tensor { offset: offset as u32, shape, element, zero_point: 0 }
}

/// Runs an op that needs no weights.
pub(super) fn run(op: Op, arena: &mut [u8]) {
    let biases = StepBiases::of_time(&[]);
    op.run(
        &Evaluation { blob: &[], copied: crate::weight_memory::Copied::NOTHING, biases: &biases, cores: Cores::ONE },
        arena,
    )
    .unwrap();
}

/// The element at (y, x, c), whatever its size.
pub(super) fn at<'a>(arena: &'a [u8], tensor: &Tensor, y: usize, x: usize, c: usize) -> &'a [u8] {
    let [_, width, channels] = tensor.shape.map(usize::from);
    let size = tensor.element.size();
    let start = tensor.offset as usize + ((y * width + x) * channels + c) * size;
    &arena[start..start + size]
}

/// An arena full of different bytes.
pub(super) fn arena(len: usize) -> Vec<u8> {
    (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
}

/// Every (y, x, c) of a shape.
pub(super) fn places(shape: [u16; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
    let [h, w, c] = shape.map(usize::from);
    (0..h).flat_map(move |y| (0..w).flat_map(move |x| (0..c).map(move |k| (y, x, k))))
}

pub(super) fn elements() -> impl Strategy<Value = Element> {
    prop_oneof![Just(Element::I8), Just(Element::I16)]
}
