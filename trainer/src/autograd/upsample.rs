//! Nearest-neighbour enlargement.
use super::{Act, Buffer, Tape};
use crate::graph::Shape;
use rayon::prelude::*;

/// Every pixel twice in each direction; rows are kept single when the height is 1.
pub fn forward(x: &[f32], shape: Shape) -> Buffer {
    let rows = rows(shape);
    let mut y = Buffer::stale(x.len() * 2 * rows);
    let line = shape.width * shape.channels;
    let lines = x.par_chunks_exact(line).zip(y.par_chunks_exact_mut(2 * rows * line));
    lines.with_min_len(64).for_each(|(x, y)| {
        for (x, y) in x.chunks_exact(shape.channels).zip(y[..2 * line].chunks_exact_mut(2 * shape.channels)) {
            let (left, right) = y.split_at_mut(shape.channels);
            left.copy_from_slice(x);
            right.copy_from_slice(x);
        }
        if rows == 2 {
            let (upper, lower) = y.split_at_mut(2 * line);
            lower.copy_from_slice(upper);
        }
    });
    y
}

/// Records the enlargement of x.
pub fn upsample(tape: &mut Tape, x: &Act) -> Act {
    let shape = x.shape();
    let rows = rows(shape);
    let enlarged = Shape::new(shape.height * rows, shape.width * 2, shape.channels);
    let y = tape.hold(forward(x.values(), shape), x.batch(), enlarged);
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dx = Buffer::zeros(x.values().len());
        let line = shape.width * shape.channels;
        let lines = dy.par_chunks_exact(2 * rows * line).zip(dx.par_chunks_exact_mut(line));
        lines.with_min_len(64).for_each(|(dy, dx)| {
            for dy in dy.chunks_exact(2 * line) {
                for (dy, dx) in dy.chunks_exact(2 * shape.channels).zip(dx.chunks_exact_mut(shape.channels)) {
                    let (left, right) = dy.split_at(shape.channels);
                    dx.iter_mut().zip(left).zip(right).for_each(|((d, l), r)| *d += l + r);
                }
            }
        });
        x.give_grad(grads, dx)
    });
    y
}

fn rows(shape: Shape) -> usize {
    if shape.height == 1 {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        for shape in [Shape::new(3, 4, 3), Shape::new(1, 6, 2)] {
            let run = |tape: &mut Tape, acts: &[Act], _: &_| upsample(tape, &acts[0]);
            check_gradients("upsample", 3, &[shape], 1, run);
            check_threads("upsample", 19, &[shape], 1, run);
        }
    }

    #[test]
    fn values() {
        assert_eq!(
            &forward(&[1., 2., 3., 4.], Shape::new(2, 2, 1))[..],
            [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.]
        );
        assert_eq!(&forward(&[1., 2., 3., 4.], Shape::new(1, 2, 2))[..], [1., 2., 1., 2., 3., 4., 3., 4.]);
    }
}
