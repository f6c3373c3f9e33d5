//! Moves values between an image and one whose pixels are blocks of it. Blocks may reach beyond the image's lower and
//! right edge, where there is padding.

use super::checker::moved;
use super::fault::OpFault;
use crate::format::Tensor;

/// `fine` is `coarse` with its channels spread over blocks of pixels, or the upper left part of that.
#[inline(never)]
pub(super) fn check([rows, columns]: [u8; 2], coarse: &Tensor, fine: &Tensor) -> Result<(), OpFault> {
    let [h, w, c] = coarse.shape.map(u32::from);
    let [rows, columns] = [rows, columns].map(u32::from);
    let block = rows * columns;
    let [height, width, _] = fine.shape.map(u32::from);
    if block == 0 || !c.is_multiple_of(block) || height > h * rows || width > w * columns {
        return Err(OpFault::Shape);
    }
    moved(coarse, fine, [height, width, c / block])
}

/// Which way values go.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    ToCoarse,
    ToFine,
}

/// Moves values between an image `fine` of shape (at most h·m, at most w·n, c) and one `coarse` of shape (h, w, m·n·c),
/// whose channel (dy·n + dx)·c + k is channel k of the block's pixel (dy, dx). A block's row of pixels is one run of
/// bytes on both sides. On the way to `coarse` pixels beyond the image's edge are real 0; on the way back they are left
/// out.
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
    let [fine_height, fine_width, channels] = fine.shape.map(usize::from);
    let pixel = channels * fine.element.size();
    let block_row = columns * pixel;
    if direction == Direction::ToCoarse {
        out.fill(coarse.zero_point as u8);
    }
    let mut in_fine = 0;
    for fine_y in 0..fine_height {
        let y = fine_y.checked_div(rows)?;
        let mut in_coarse = (y * coarse.shape[1] as usize * rows + (fine_y - y * rows)) * block_row;
        let mut left = fine_width;
        while left > 0 {
            let within = if left < columns { left } else { columns.max(1) };
            let (from, to) = match direction {
                Direction::ToCoarse => (in_fine, in_coarse),
                Direction::ToFine => (in_coarse, in_fine),
            };
            copy((input, from), (out, to), within * pixel)?;
            left -= within;
            in_fine += within * pixel;
            in_coarse += rows * block_row;
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
    use crate::format::{Element, Tensor};
    use crate::ops::fault::OpFault;
    use crate::ops::list::Op;
    use crate::ops::testing::{arena, at, elements, places, run, tensor};
    use crate::ops::{DepthToSpace, SpaceToDepth};
    use proptest::prelude::*;

    proptest! {
        /// With `missing` rows and columns less than the blocks cover.
        #[test]
        fn blocks_turn_into_channels_and_back(
            h in 1u16..5, w in 1u16..5, c in 1u16..5, m in 1u8..4, n in 1u8..4, element in elements(),
            missing in [0u16..6, 0u16..6], zero_point in any::<i8>(),
        ) {
            let (rows, columns, block) = (m as u16, n as u16, [m, n]);
            let size = [h * rows - missing[0].min(h * rows - 1), w * columns - missing[1].min(w * columns - 1)];
            let fine = tensor(0, [size[0], size[1], c], element);
            let coarse = tensor(fine.len().next_multiple_of(4), [h, w, c * rows * columns], element);
            let coarse = Tensor { zero_point, ..coarse };
            let before = arena(coarse.range().end);
            let mut arena = before.clone();
            run(Op::SpaceToDepth(SpaceToDepth { input: fine, output: coarse, block }), &mut arena);
            for (y, x, channel) in places(coarse.shape) {
                let (m, n, c) = (m as usize, n as usize, c as usize);
                let (y_in, x_in, k) = (y * m + channel / c / n, x * n + channel / c % n, channel % c);
                let found = at(&arena, &coarse, y, x, channel);
                if y_in < size[0] as usize && x_in < size[1] as usize {
                    prop_assert_eq!(found, at(&arena, &fine, y_in, x_in, k));
                } else {
                    prop_assert!(found.iter().all(|byte| *byte == zero_point as u8));
                }
            }
            arena[fine.range()].fill(0);
            run(Op::DepthToSpace(DepthToSpace { input: coarse, output: fine, block }), &mut arena);
            prop_assert_eq!(&arena[fine.range()], &before[fine.range()]);
        }
    }

    /// More pixels than the blocks cover would stay unwritten.
    #[test]
    fn an_image_larger_than_its_blocks_is_refused() {
        let element = Element::I8;
        let coarse = tensor(0, [2, 3, 4], element);
        for (size, result) in
            [([4, 6], Ok(())), ([1, 5], Ok(())), ([5, 6], Err(OpFault::Shape)), ([4, 7], Err(OpFault::Shape))]
        {
            assert_eq!(super::check([2, 2], &coarse, &tensor(0, [size[0], size[1], 1], element)), result);
        }
    }
}
