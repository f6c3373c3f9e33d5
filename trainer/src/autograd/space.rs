//! Blocks of pixels into channels, and back.
use super::pool::Buffer;
use super::tape::{Act, Tape};
use crate::graph::shape::Shape;
use rayon::prelude::*;

/// Which way pixels move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Space to depth.
    ToDepth,
    /// Depth to space.
    ToSpace,
}

/// The two shapes between which pixels move: blocks of `block` rows and columns of `wide` are the channels of `deep`.
/// Blocks may reach beyond the lower and right edge of `wide`.
#[derive(Clone, Copy, Debug)]
pub struct Blocks {
    /// Rows and columns of a block.
    pub block: [usize; 2],
    /// The shape with the pixels.
    pub wide: Shape,
    /// The shape with the channels.
    pub deep: Shape,
}

/// Moves the pixels of a batch. On the way to channels, what lies beyond the edge is 0; on the way back it is left out.
pub fn forward(x: &[f32], blocks: Blocks, direction: Direction) -> Buffer {
    let Blocks { block: [rows, columns], wide, deep } = blocks;
    let batch = match direction {
        Direction::ToDepth => x.len() / wide.len(),
        Direction::ToSpace => x.len() / deep.len(),
    };
    let (mut y, from, to) = match direction {
        Direction::ToDepth if wide.len() < deep.len() => (Buffer::zeros(batch * deep.len()), wide, deep),
        Direction::ToDepth => (Buffer::stale(batch * deep.len()), wide, deep),
        Direction::ToSpace => (Buffer::stale(batch * wide.len()), deep, wide),
    };
    let images = x.par_chunks_exact(from.len()).zip(y.par_chunks_exact_mut(to.len()));
    images.with_min_len(8).for_each(|(x, y)| {
        for row in 0..deep.height {
            for column in 0..deep.width {
                let within = wide.width.saturating_sub(column * columns).min(columns);
                for dy in 0..rows.min(wide.height.saturating_sub(row * rows)) {
                    // One row of a block is contiguous on both sides.
                    let len = within * wide.channels;
                    let a = ((row * rows + dy) * wide.width + column * columns) * wide.channels;
                    let b = (row * deep.width + column) * deep.channels + dy * columns * wide.channels;
                    match direction {
                        _ if len == 0 => {}
                        Direction::ToDepth => y[b..b + len].copy_from_slice(&x[a..a + len]),
                        Direction::ToSpace => y[a..a + len].copy_from_slice(&x[b..b + len]),
                    }
                }
            }
        }
    });
    y
}

/// Records the move of x.
pub fn space(tape: &mut Tape, x: &Act, blocks: Blocks, direction: Direction) -> Act {
    let (shape, back) = match direction {
        Direction::ToDepth => (blocks.deep, Direction::ToSpace),
        Direction::ToSpace => (blocks.wide, Direction::ToDepth),
    };
    let y = tape.hold(forward(x.values(), blocks, direction), x.batch(), shape);
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        x.give_grad(grads, forward(&dy, blocks, back))
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let cases = [
            ([2, 2], Shape::new(4, 6, 3), Shape::new(2, 3, 12)),
            ([1, 4], Shape::new(1, 12, 2), Shape::new(1, 3, 8)),
            ([3, 2], Shape::new(6, 4, 1), Shape::new(2, 2, 6)),
            // Beyond the edges, once by a whole block.
            ([2, 2], Shape::new(3, 5, 2), Shape::new(2, 4, 8)),
        ];
        for (block, wide, deep) in cases {
            let blocks = Blocks { block, wide, deep };
            for (direction, shape) in [(Direction::ToDepth, wide), (Direction::ToSpace, deep)] {
                let run = move |tape: &mut Tape, acts: &[Act], _: &_| space(tape, &acts[0], blocks, direction);
                check_gradients("space", 3, &[shape], 1, run);
                check_threads("space", 19, &[shape], 1, run);
            }
        }
    }

    #[test]
    fn order_of_channels_and_inverse() {
        let image: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let of = |block, wide, deep| Blocks { block, wide, deep };
        let blocks = of([2, 2], Shape::new(4, 4, 1), Shape::new(2, 2, 4));
        let y = forward(&image, blocks, Direction::ToDepth);
        assert_eq!(&y[..8], [0., 1., 4., 5., 2., 3., 6., 7.]);
        assert_eq!(&forward(&y, blocks, Direction::ToSpace)[..], image);
        // A line of 8 samples with 2 channels, 4 samples a block: nothing moves in memory.
        let line = of([1, 4], Shape::new(1, 8, 2), Shape::new(1, 2, 8));
        assert_eq!(&forward(&image, line, Direction::ToDepth)[..], image);
        // A column of blocks of 2 rows by 1 column over an image 2 wide.
        let column = of([2, 1], Shape::new(4, 2, 1), Shape::new(2, 2, 2));
        assert_eq!(&forward(&image[..8], column, Direction::ToDepth)[..], [0., 2., 1., 3., 4., 6., 5., 7.]);
        // Two images of 1×3 in blocks of 2×2.
        let padded = of([2, 2], Shape::new(1, 3, 1), Shape::new(1, 2, 4));
        let y = forward(&image[1..7], padded, Direction::ToDepth);
        assert_eq!(&y[..], [1., 2., 0., 0., 3., 0., 0., 0., 4., 5., 0., 0., 6., 0., 0., 0.]);
        assert_eq!(forward(&y, padded, Direction::ToSpace)[..], image[1..7]);
    }
}
