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

/// Moves pixels between blocks of `block` rows and columns and channels; `deep` is the shape with the channels.
pub fn forward(x: &[f32], deep: Shape, block: [usize; 2], direction: Direction) -> Buffer {
    let mut y = Buffer::stale(x.len());
    let [rows, columns] = block;
    let channels = deep.channels / (rows * columns);
    let wide = deep.width * columns * channels;
    let images = x.par_chunks_exact(deep.len()).zip(y.par_chunks_exact_mut(deep.len()));
    images.with_min_len(8).for_each(|(x, y)| {
        for row in 0..deep.height {
            for column in 0..deep.width {
                for dy in 0..rows {
                    // One row of a block is contiguous on both sides.
                    let len = columns * channels;
                    let a = (row * rows + dy) * wide + column * len;
                    let b = (row * deep.width + column) * deep.channels + dy * len;
                    match direction {
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
pub fn space(tape: &mut Tape, x: &Act, block: [usize; 2], direction: Direction) -> Act {
    let (s, [rows, columns]) = (x.shape(), block);
    let area = rows * columns;
    let (deep, shape, back) = match direction {
        Direction::ToDepth => {
            let deep = Shape::new(s.height / rows, s.width / columns, s.channels * area);
            (deep, deep, Direction::ToSpace)
        }
        Direction::ToSpace => {
            (s, Shape::new(s.height * rows, s.width * columns, s.channels / area), Direction::ToDepth)
        }
    };
    let y = tape.hold(forward(x.values(), deep, block, direction), x.batch(), shape);
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        x.give_grad(grads, forward(&dy, deep, block, back))
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
            ([2, 2], Direction::ToDepth, Shape::new(4, 6, 3)),
            ([2, 2], Direction::ToSpace, Shape::new(2, 3, 8)),
            ([1, 4], Direction::ToDepth, Shape::new(1, 12, 3)),
            ([1, 4], Direction::ToSpace, Shape::new(1, 3, 8)),
            ([3, 2], Direction::ToDepth, Shape::new(6, 4, 1)),
        ];
        for (block, direction, shape) in cases {
            let run = move |tape: &mut Tape, acts: &[Act], _: &_| space(tape, &acts[0], block, direction);
            check_gradients("space", 3, &[shape], 1, run);
            check_threads("space", 19, &[shape], 1, run);
        }
    }

    #[test]
    fn order_of_channels_and_inverse() {
        let image: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let deep = Shape::new(2, 2, 4);
        let y = forward(&image, deep, [2, 2], Direction::ToDepth);
        assert_eq!(&y[..8], [0., 1., 4., 5., 2., 3., 6., 7.]);
        assert_eq!(&forward(&y, deep, [2, 2], Direction::ToSpace)[..], image);
        // A line of 8 samples with 2 channels, 4 samples a block: nothing moves in memory.
        let deep = Shape::new(1, 2, 8);
        assert_eq!(&forward(&image, deep, [1, 4], Direction::ToDepth)[..], image);
        // A column of blocks of 2 rows by 1 column over an image 2 wide.
        let y = forward(&image[..8], Shape::new(2, 2, 2), [2, 1], Direction::ToDepth);
        assert_eq!(&y[..], [0., 2., 1., 3., 4., 6., 5., 7.]);
    }
}
