//! Adds a range of an image's bias columns to every pixel.
use super::{simd, Act, Buffer, Tape};
use crate::graph::Shape;
use rayon::prelude::*;

/// x + `columns[first..first + channels]`, with one row of `width` columns an image.
pub fn forward(x: &[f32], shape: Shape, columns: &[f32], width: usize, first: usize) -> Buffer {
    let mut y = Buffer::stale(x.len());
    let images =
        x.par_chunks_exact(shape.len()).zip(y.par_chunks_exact_mut(shape.len())).zip(columns.par_chunks_exact(width));
    images.with_min_len(8).for_each(|((x, y), row)| {
        simd::shift(x, &simd::tile(row[first..first + shape.channels].iter().copied()), y);
    });
    y
}

/// Records x + `columns[first..first + channels]`, where `columns` has one 1×1 vector an image.
pub fn channel_bias(tape: &mut Tape, x: &Act, columns: &Act, first: usize) -> Act {
    let (shape, width) = (x.shape(), columns.shape().channels);
    let y = tape.hold(forward(x.values(), shape, columns.values(), width, first), x.batch(), shape);
    let (x, columns, out) = (x.clone(), columns.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let mut dcolumns = Buffer::zeros(columns.values().len());
        let images = dy.par_chunks_exact(shape.len()).zip(dcolumns.par_chunks_exact_mut(width));
        images.with_min_len(8).for_each(|(dy, row)| {
            let sums = simd::image_column_sums(dy, shape.channels);
            row[first..first + shape.channels].copy_from_slice(&sums);
        });
        columns.give_grad(grads, dcolumns)?;
        x.give_grad(grads, dy)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3), Shape::new(1, 1, 7)];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| channel_bias(tape, &acts[0], &acts[1], 2);
        check_gradients("channel bias", 3, &shapes, 1, run);
        check_threads("channel bias", 19, &shapes, 1, run);
    }
}
