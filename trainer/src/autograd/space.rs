//! Squares of pixels into channels, and back.
use super::{Act, Buffer, Tape};
use crate::graph::Shape;
use rayon::prelude::*;

/// Which way pixels move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// Space to depth.
    ToDepth,
    /// Depth to space.
    ToSpace,
}

/// Moves pixels between squares of side `block` and channels; `deep` is the shape with the channels.
pub fn forward(x: &[f32], deep: Shape, block: usize, direction: Direction) -> Buffer {
    let mut y = Buffer::stale(x.len());
    let channels = deep.channels / (block * block);
    let wide = deep.width * block * channels;
    let images = x.par_chunks_exact(deep.len()).zip(y.par_chunks_exact_mut(deep.len()));
    images.with_min_len(8).for_each(|(x, y)| {
        for row in 0..deep.height {
            for column in 0..deep.width {
                for dy in 0..block {
                    // One row of a square is contiguous on both sides.
                    let len = block * channels;
                    let a = (row * block + dy) * wide + column * len;
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
pub fn space(tape: &mut Tape, x: &Act, block: usize, direction: Direction) -> Act {
    let s = x.shape();
    let area = block * block;
    let (deep, shape, back) = match direction {
        Direction::ToDepth => {
            let deep = Shape::new(s.height / block, s.width / block, s.channels * area);
            (deep, deep, Direction::ToSpace)
        }
        Direction::ToSpace => (s, Shape::new(s.height * block, s.width * block, s.channels / area), Direction::ToDepth),
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
        for (direction, shape) in [(Direction::ToDepth, Shape::new(4, 6, 3)), (Direction::ToSpace, Shape::new(2, 3, 8))]
        {
            let run = move |tape: &mut Tape, acts: &[Act], _: &_| space(tape, &acts[0], 2, direction);
            check_gradients("space", 3, &[shape], 1, run);
            check_threads("space", 19, &[shape], 1, run);
        }
    }

    #[test]
    fn order_of_channels_and_inverse() {
        let image: Vec<f32> = (0..16).map(|i| i as f32).collect();
        let deep = Shape::new(2, 2, 4);
        let y = forward(&image, deep, 2, Direction::ToDepth);
        assert_eq!(&y[..8], [0., 1., 4., 5., 2., 3., 6., 7.]);
        assert_eq!(&forward(&y, deep, 2, Direction::ToSpace)[..], image);
    }
}
