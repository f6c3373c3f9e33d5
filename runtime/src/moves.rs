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
    let pixel = fine.shape[2] as usize * fine.element.size();
    let mut in_coarse = 0;
    for y in 0..height {
        for x in 0..width {
            for dy in 0..rows {
                for dx in 0..columns {
                    let in_fine = ((y * rows + dy) * width * columns + x * columns + dx) * pixel;
                    let (from, to) = if to_depth { (in_fine, in_coarse) } else { (in_coarse, in_fine) };
                    copy(input.get(from..)?, output.get_mut(to..to + pixel)?);
                    in_coarse += pixel;
                }
            }
        }
    }
    Some(())
}
