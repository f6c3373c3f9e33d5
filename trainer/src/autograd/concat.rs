//! Joins the channels of two activations.
use super::{Act, Buffer, Tape};
use rayon::prelude::*;

/// For every pixel the `ca` channels of a, then the `cb` channels of b.
pub fn forward(a: &[f32], ca: usize, b: &[f32], cb: usize) -> Buffer {
    let mut y = Buffer::stale(a.len() + b.len());
    let pixels = y.par_chunks_exact_mut(ca + cb).zip(a.par_chunks_exact(ca)).zip(b.par_chunks_exact(cb));
    pixels.with_min_len(1024).for_each(|((y, a), b)| {
        y[..ca].copy_from_slice(a);
        y[ca..].copy_from_slice(b);
    });
    y
}

/// Records the join of a and b.
pub fn concat(tape: &mut Tape, a: &Act, b: &Act) -> Act {
    let (ca, cb) = (a.shape().channels, b.shape().channels);
    let mut shape = a.shape();
    shape.channels += cb;
    let y = tape.hold(forward(a.values(), ca, b.values(), cb), a.batch(), shape);
    let (a, b, out) = (a.clone(), b.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        let (mut da, mut db) = (Buffer::stale(a.values().len()), Buffer::stale(b.values().len()));
        let pixels = dy.par_chunks_exact(ca + cb).zip(da.par_chunks_exact_mut(ca)).zip(db.par_chunks_exact_mut(cb));
        pixels.with_min_len(1024).for_each(|((dy, da), db)| {
            da.copy_from_slice(&dy[..ca]);
            db.copy_from_slice(&dy[ca..]);
        });
        a.give_grad(grads, da)?;
        b.give_grad(grads, db)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradients, check_threads};
    use super::*;
    use crate::graph::Shape;

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3), Shape::new(5, 4, 2)];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| concat(tape, &acts[0], &acts[1]);
        check_gradients("concat", 3, &shapes, 1, run);
        check_threads("concat", 19, &shapes, 1, run);
    }
}
