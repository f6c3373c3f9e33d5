//! Ops that only move values: enlargement, concatenation, blocks of pixels to channels and back.

use crate::format::{Concat, Move, Tensor};

/// Input and output bytes of an op with two disjoint buffers.
fn pair<'s>(arena: &'s mut [u8], input: &Tensor, output: &Tensor) -> Option<(&'s [u8], &'s mut [u8])> {
    let [input, output] = arena.get_disjoint_mut([input.range(), output.range()]).ok()?;
    Some((input, output))
}

/// Copies `to.len()` bytes from the front of `from`.
fn copy(from: &[u8], to: &mut [u8]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t = *f);
}

/// Nearest-neighbour enlargement.
pub(crate) fn upsample(op: &Move, arena: &mut [u8]) -> Option<()> {
    let (input, output) = pair(arena, &op.input, &op.output)?;
    let [_, width, _] = op.input.shape.map(usize::from);
    let [out_height, out_width, _] = op.output.shape.map(usize::from);
    let pixel = op.input.shape[2] as usize * op.input.element.size();
    let [rows, columns] = op.block.map(usize::from);
    let mut rest = output;
    for y in 0..out_height {
        for x in 0..out_width {
            let from = (y.checked_div(rows)? * width + x.checked_div(columns)?) * pixel;
            let (to, tail) = rest.split_at_mut_checked(pixel)?;
            copy(input.get(from..)?, to);
            rest = tail;
        }
    }
    Some(())
}

/// Channels of `a`, then of `b`, pixel by pixel.
pub(crate) fn concat(op: &Concat, arena: &mut [u8]) -> Option<()> {
    let (channels_a, channels_b) = (op.a.shape[2] as usize, op.b.shape[2] as usize);
    let mut start = 0;
    for (tensor, channels) in [(&op.a, channels_a), (&op.b, channels_b)] {
        let (input, output) = pair(arena, tensor, &op.output)?;
        let (mut from, mut to) = (0, start);
        while from < input.len() {
            copy(input.get(from..)?, output.get_mut(to..to + channels)?);
            from += channels;
            to += channels_a + channels_b;
        }
        start = channels_a;
    }
    Some(())
}

/// Moves values between an image `fine` of shape (h·m, w·n, c) and one `coarse` of shape (h, w, m·n·c),
/// whose channel (dy·n + dx)·c + k is channel k of the block's pixel (dy, dx).
pub(crate) fn blocks(op: &Move, fine: &Tensor, coarse: &Tensor, arena: &mut [u8]) -> Option<()> {
    let (input, output) = pair(arena, &op.input, &op.output)?;
    let to_depth = op.output == *coarse;
    let [rows, columns] = op.block.map(usize::from);
    let [height, width, _] = coarse.shape.map(usize::from);
    // A block's row of pixels is one run of bytes on both sides.
    let run = columns * fine.shape[2] as usize * fine.element.size();
    let mut in_coarse = 0;
    for y in 0..height {
        for x in 0..width {
            for dy in 0..rows {
                let in_fine = ((y * rows + dy) * width + x) * run;
                let (from, to) = if to_depth { (in_fine, in_coarse) } else { (in_coarse, in_fine) };
                copy(input.get(from..)?, output.get_mut(to..to + run)?);
                in_coarse += run;
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::format::Element;
    use proptest::prelude::*;
    use std::vec::Vec;

    fn tensor(offset: usize, shape: [u16; 3], element: Element) -> Tensor {
        Tensor { offset: offset as u32, shape, element, zero_point: 0 }
    }

    /// The element at (y, x, c), whatever its size.
    fn at<'a>(arena: &'a [u8], tensor: &Tensor, y: usize, x: usize, c: usize) -> &'a [u8] {
        let [_, width, channels] = tensor.shape.map(usize::from);
        let size = tensor.element.size();
        let start = tensor.offset as usize + ((y * width + x) * channels + c) * size;
        &arena[start..start + size]
    }

    /// An arena full of different bytes.
    fn arena(len: usize) -> Vec<u8> {
        (0..len as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 23) as u8).collect()
    }

    /// Every (y, x, c) of a shape.
    fn places(shape: [u16; 3]) -> impl Iterator<Item = (usize, usize, usize)> {
        let [h, w, c] = shape.map(usize::from);
        (0..h).flat_map(move |y| (0..w).flat_map(move |x| (0..c).map(move |k| (y, x, k))))
    }

    fn elements() -> impl Strategy<Value = Element> {
        prop_oneof![Just(Element::I8), Just(Element::I16)]
    }

    proptest! {
        #[test]
        fn upsample_repeats_pixels(h in 1u16..6, w in 1u16..6, c in 1u16..6, m in 1u8..4, n in 1u8..4, element in elements()) {
            let input = tensor(0, [h, w, c], element);
            let output = tensor(input.len().next_multiple_of(4), [h * m as u16, w * n as u16, c], element);
            let mut arena = arena(output.range().end);
            upsample(&Move { input, output, block: [m, n] }, &mut arena).unwrap();
            for (y, x, k) in places(output.shape) {
                prop_assert_eq!(at(&arena, &output, y, x, k), at(&arena, &input, y / m as usize, x / n as usize, k));
            }
        }

        #[test]
        fn concat_joins_channels(h in 1u16..6, w in 1u16..6, ca in 1u16..6, cb in 1u16..6) {
            let a = tensor(0, [h, w, ca], Element::I8);
            let b = tensor(a.len().next_multiple_of(4), [h, w, cb], Element::I8);
            let output = tensor(b.range().end.next_multiple_of(4), [h, w, ca + cb], Element::I8);
            let mut arena = arena(output.range().end);
            concat(&Concat { a, b, output }, &mut arena).unwrap();
            for (y, x, k) in places(output.shape) {
                let (from, k_in) = if k < ca as usize { (&a, k) } else { (&b, k - ca as usize) };
                prop_assert_eq!(at(&arena, &output, y, x, k), at(&arena, from, y, x, k_in));
            }
        }

        #[test]
        fn blocks_turn_into_channels_and_back(h in 1u16..5, w in 1u16..5, c in 1u16..5, m in 1u8..4, n in 1u8..4, element in elements()) {
            let (rows, columns) = (m as u16, n as u16);
            let fine = tensor(0, [h * rows, w * columns, c], element);
            let coarse = tensor(fine.len().next_multiple_of(4), [h, w, c * rows * columns], element);
            let before = arena(coarse.range().end);
            let mut arena = before.clone();
            blocks(&Move { input: fine, output: coarse, block: [m, n] }, &fine, &coarse, &mut arena).unwrap();
            for (y, x, k) in places(fine.shape) {
                let (m, n) = (m as usize, n as usize);
                let channel = (y % m * n + x % n) * c as usize + k;
                prop_assert_eq!(at(&arena, &coarse, y / m, x / n, channel), at(&arena, &fine, y, x, k));
            }
            arena[fine.range()].fill(0);
            blocks(&Move { input: coarse, output: fine, block: [m, n] }, &fine, &coarse, &mut arena).unwrap();
            prop_assert_eq!(&arena[fine.range()], &before[fine.range()]);
        }
    }
}
