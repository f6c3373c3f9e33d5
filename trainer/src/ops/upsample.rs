//! Nearest-neighbour enlargement.
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

/// Every pixel `factor[0]` times downwards and `factor[1]` times to the right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Upsample {
    /// Rows and columns that one pixel becomes.
    pub factor: [usize; 2],
}

impl Upsample {
    /// Twice the height and width: what a convolution can read without a copy.
    pub const TWICE: Self = Self { factor: [2, 2] };

    fn enlarged(self, shape: Shape) -> Shape {
        Shape { height: shape.height * self.factor[0], width: shape.width * self.factor[1], ..shape }
    }

    /// The enlargement of a batch of images of `shape`.
    fn values(self, x: &[f32], shape: Shape) -> Buffer {
        let [rows, columns] = self.factor;
        let mut y = Buffer::stale(x.len() * rows * columns);
        let line = shape.width * shape.channels;
        let lines = x.par_chunks_exact(line).zip(y.par_chunks_exact_mut(rows * columns * line));
        lines.with_min_len(64).for_each(|(x, y)| {
            let (first, rest) = y.split_at_mut(columns * line);
            for (x, y) in x.chunks_exact(shape.channels).zip(first.chunks_exact_mut(columns * shape.channels)) {
                y.chunks_exact_mut(shape.channels).for_each(|y| y.copy_from_slice(x));
            }
            rest.chunks_exact_mut(columns * line).for_each(|y| y.copy_from_slice(first));
        });
        y
    }

    /// Records the enlargement of x.
    fn of(self, tape: &mut Tape, x: &Act) -> Act {
        let (shape, [rows, columns]) = (x.shape(), self.factor);
        let y = tape.hold(self.values(x.values(), shape), x.batch(), self.enlarged(shape));
        let (x, out) = (x.clone(), y.clone());
        tape.record(move |grads| {
            let dy = out.take_grad(grads)?;
            let mut dx = Buffer::zeros(x.values().len());
            let line = shape.width * shape.channels;
            let lines = dy.par_chunks_exact(rows * columns * line).zip(dx.par_chunks_exact_mut(line));
            lines.with_min_len(64).for_each(|(dy, dx)| {
                for dy in dy.chunks_exact(columns * line) {
                    let pixels = dy.chunks_exact(columns * shape.channels).zip(dx.chunks_exact_mut(shape.channels));
                    pixels.for_each(|(dy, dx)| add_sums(dy, dx));
                }
            });
            x.give_grad(grads, dx)
        });
        y
    }
}

/// Adds the sum over the copies of a pixel to its gradient.
fn add_sums(dy: &[f32], dx: &mut [f32]) {
    if dy.len() == 2 * dx.len() {
        let (left, right) = dy.split_at(dx.len());
        dx.iter_mut().zip(left).zip(right).for_each(|((d, l), r)| *d += l + r);
        return;
    }
    for dy in dy.chunks_exact(dx.len()) {
        dx.iter_mut().zip(dy).for_each(|(d, y)| *d += y);
    }
}

is_its_own_layer!(Upsample);

impl Operation for Upsample {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [x] = operands(inputs)?;
        if self.factor.contains(&0) {
            return Err(Error::Invalid("cannot enlarge by a factor of 0".into()));
        }
        Ok(self.enlarged(x))
    }

    fn forward(&self, at: &Inference) -> Buffer {
        self.values(at.values[0], at.shapes[0])
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        self.of(tape, at.inputs[0])
    }

    fn role(&self) -> Role {
        Role::View
    }

    fn stored(&self, inputs: &[&[Stored]], _: Shape) -> Result<Option<Vec<Stored>>> {
        Ok(Some(inputs[0].to_vec()))
    }

    /// No op for a factor of two each way, which convolutions read as they go.
    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let parts = at.parts(at.input(step, 0));
        let twice = *self == Self::TWICE;
        let one = |part: Part| {
            let part = at.plain(part)?;
            if twice {
                return Ok(Part { upsample: true, ..part });
            }
            at.enlarged(part, self.factor)
        };
        parts.into_iter().map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};

    #[test]
    fn gradients_match_finite_differences() {
        for (shape, factor) in
            [(Shape::new(3, 4, 3), [2, 2]), (Shape::new(1, 6, 2), [1, 2]), (Shape::new(3, 1, 2), [3, 1])]
        {
            let run = |tape: &mut Tape, acts: &[Act], _: &_| Upsample { factor }.of(tape, &acts[0]);
            check_gradients("upsample", 3, &[shape], 1, run);
            check_threads("upsample", 19, &[shape], 1, run);
        }
    }

    #[test]
    fn values() {
        assert_eq!(
            &Upsample::TWICE.values(&[1., 2., 3., 4.], Shape::new(2, 2, 1))[..],
            [1., 1., 2., 2., 1., 1., 2., 2., 3., 3., 4., 4., 3., 3., 4., 4.]
        );
        let line = Upsample { factor: [1, 2] }.values(&[1., 2., 3., 4.], Shape::new(1, 2, 2));
        assert_eq!(&line[..], [1., 2., 1., 2., 3., 4., 3., 4.]);
        let column = Upsample { factor: [2, 1] }.values(&[1., 2., 3., 4.], Shape::new(2, 2, 1));
        assert_eq!(&column[..], [1., 2., 1., 2., 3., 4., 3., 4.]);
    }
}
