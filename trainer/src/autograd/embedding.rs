//! Adds a row of a table to each image's vector.
use super::optimizer::Parameters;
use super::pool::Buffer;
use super::tape::{Act, Tape};
use std::ops::Range;

/// Records x + share·table\[row\] with the row and the share of each image, for 1×1 vectors x.
pub fn embedding(tape: &mut Tape, x: &Act, params: &Parameters, table: Range<usize>, rows: Vec<(usize, f32)>) -> Act {
    let width = x.shape().channels;
    let at = move |row: usize| table.start + row * width..table.start + (row + 1) * width;
    let mut values = Buffer::copy_of(x.values());
    for (x, (row, share)) in values.chunks_exact_mut(width).zip(&rows) {
        x.iter_mut().zip(&params.values()[at(*row)]).for_each(|(x, e)| *x += share * e);
    }
    let y = tape.hold(values, x.batch(), x.shape());
    let (x, out, params) = (x.clone(), y.clone(), params.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let grad = params.grad(grads)?;
        for (dy, (row, share)) in dy.chunks_exact(width).zip(&rows) {
            grad[at(*row)].iter_mut().zip(dy).for_each(|(g, d)| *g += share * d);
        }
        x.give_grad(grads, dy)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn gradients_match_finite_differences() {
        let shape = Shape::new(1, 1, 5);
        let run = |tape: &mut Tape, acts: &[Act], params: &Parameters| {
            let rows = (0..acts[0].batch()).map(|i| (i * 7 % 3, [1.0, 0.25][i % 2])).collect();
            embedding(tape, &acts[0], params, 2..17, rows)
        };
        check_gradients("embedding", 4, &[shape], 17, run);
        check_threads("embedding", 19, &[shape], 17, run);
    }
}
