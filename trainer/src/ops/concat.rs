//! Joins the channels of two values.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::scale::Stored;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use rayon::prelude::*;
use serde::Serialize;

/// Channels of the first input, then those of the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Concat;

is_its_own_layer!(Concat);

impl Operation for Concat {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [a, b] = operands(inputs)?;
        if (a.height, a.width) != (b.height, b.width) {
            return Err(Error::Invalid(format!("cannot join the channels of {a} and {b}")));
        }
        Ok(Shape { channels: a.channels + b.channels, ..a })
    }

    fn forward(&self, at: &Inference) -> Buffer {
        let [ca, cb] = [0, 1].map(|i| at.shapes[i].channels);
        joined(at.values[0], ca, at.values[1], cb)
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        concat(tape, at.inputs[0], at.inputs[1])
    }

    fn role(&self) -> Role {
        Role::View
    }

    fn stored(&self, inputs: &[&[Stored]], _: Shape) -> Result<Option<Vec<Stored>>> {
        Ok(Some(inputs.concat()))
    }

    /// No op: a convolution reads two parts together, and others copy them into one when they need it.
    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        Ok([0, 1].map(|i| at.parts(at.input(step, i))).concat())
    }
}

/// For every pixel the `ca` channels of a, then the `cb` channels of b.
fn joined(a: &[f32], ca: usize, b: &[f32], cb: usize) -> Buffer {
    let mut y = Buffer::stale(a.len() + b.len());
    let pixels = y.par_chunks_exact_mut(ca + cb).zip(a.par_chunks_exact(ca)).zip(b.par_chunks_exact(cb));
    pixels.with_min_len(1024).for_each(|((y, a), b)| {
        y[..ca].copy_from_slice(a);
        y[ca..].copy_from_slice(b);
    });
    y
}

/// Records the join of a and b.
fn concat(tape: &mut Tape, a: &Act, b: &Act) -> Act {
    let (ca, cb) = (a.shape().channels, b.shape().channels);
    let mut shape = a.shape();
    shape.channels += cb;
    let y = tape.hold(joined(a.values(), ca, b.values(), cb), a.batch(), shape);
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
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3), Shape::new(5, 4, 2)];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| concat(tape, &acts[0], &acts[1]);
        check_gradients("concat", 3, &shapes, 1, run);
        check_threads("concat", 19, &shapes, 1, run);
    }
}
