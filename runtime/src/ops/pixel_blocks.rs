//! Moves values between an image and one whose pixels are blocks of it.

use super::checker::moved;
use super::fault::OpFault;
use crate::format::Tensor;

/// `fine` is `coarse` with its channels spread over blocks of pixels.
#[inline(never)]
pub(super) fn check([rows, columns]: [u8; 2], coarse: &Tensor, fine: &Tensor) -> Result<(), OpFault> {
    let [h, w, c] = coarse.shape.map(u32::from);
    let [rows, columns] = [rows, columns].map(u32::from);
    let block = rows * columns;
    if block == 0 || !c.is_multiple_of(block) {
        return Err(OpFault::Shape);
    }
    moved(coarse, fine, [h * rows, w * columns, c / block].map(u64::from))
}

/// Which way values go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToCoarse,
    ToFine,
}

/// Moves values between an image `fine` of shape (h·m, w·n, c) and one `coarse` of shape (h, w, m·n·c),
/// whose channel (dy·n + dx)·c + k is channel k of the block's pixel (dy, dx). A block's row of pixels is one run of
/// bytes on both sides.
#[inline(never)]
pub(super) fn run(
    block: [u8; 2],
    coarse: &Tensor,
    fine: &Tensor,
    direction: Direction,
    input: &[u8],
    out: &mut [u8],
) -> Option<()> {
    let [rows, columns] = block.map(usize::from);
    let [height, width, _] = coarse.shape.map(usize::from);
    let run = columns * fine.shape[2] as usize * fine.element.size();
    let mut in_coarse = 0;
    for y in 0..height {
        for x in 0..width {
            for dy in 0..rows {
                let in_fine = ((y * rows + dy) * width + x) * run;
                let (from, to) = match direction {
                    Direction::ToCoarse => (in_fine, in_coarse),
                    Direction::ToFine => (in_coarse, in_fine),
                };
                copy((input, from), (out, to), run)?;
                in_coarse += run;
            }
        }
    }
    Some(())
}

/// Copies `len` bytes from `from[start..]` to `to[target..]`.
#[inline(never)]
pub(super) fn copy((from, start): (&[u8], usize), (to, target): (&mut [u8], usize), len: usize) -> Option<()> {
    let slots = to.get_mut(target..)?.get_mut(..len)?;
    slots.iter_mut().zip(from.get(start..)?).for_each(|(slot, value)| *slot = *value);
    Some(())
}

#[cfg(test)]
mod tests {
    use crate::ops::list::Op;
    use crate::ops::testing::{arena, at, elements, places, run, tensor};
    use crate::ops::{DepthToSpace, SpaceToDepth};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn blocks_turn_into_channels_and_back(
            h in 1u16..5, w in 1u16..5, c in 1u16..5, m in 1u8..4, n in 1u8..4, element in elements(),
        ) {
            let (rows, columns, block) = (m as u16, n as u16, [m, n]);
            let fine = tensor(0, [h * rows, w * columns, c], element);
            let coarse = tensor(fine.len().next_multiple_of(4), [h, w, c * rows * columns], element);
            let before = arena(coarse.range().end);
            let mut arena = before.clone();
            run(Op::SpaceToDepth(SpaceToDepth { input: fine, output: coarse, block }), &mut arena);
            for (y, x, k) in places(fine.shape) {
                let (m, n) = (m as usize, n as usize);
                let channel = (y % m * n + x % n) * c as usize + k;
                prop_assert_eq!(at(&arena, &coarse, y / m, x / n, channel), at(&arena, &fine, y, x, k));
            }
            arena[fine.range()].fill(0);
            run(Op::DepthToSpace(DepthToSpace { input: coarse, output: fine, block }), &mut arena);
            prop_assert_eq!(&arena[fine.range()], &before[fine.range()]);
        }
    }
}
