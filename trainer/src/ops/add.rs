//! Sum of two values of one shape.
use super::making::is_its_own_layer;
use super::operation::{operands, Operation};
use super::passes::{Inference, Recording};
use crate::autograd::pool::Buffer;
use crate::autograd::simd;
use crate::autograd::tape::{Act, Tape};
use crate::graph::shape::Shape;
use crate::lower::context::{Lowering, Part};
use crate::lower::layer::sum_requantizer;
use crate::lower::step::{Role, Step};
use crate::{Error, Result};
use brownian::ops as integer;
use serde::Serialize;

/// a + b.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Add;

is_its_own_layer!(Add);

impl Operation for Add {
    fn shape(&self, inputs: &[Shape]) -> Result<Shape> {
        let [a, b] = operands(inputs)?;
        if a != b {
            return Err(Error::Invalid(format!("cannot add {b} to {a}")));
        }
        Ok(a)
    }

    fn forward(&self, at: &Inference) -> Buffer {
        sum(at.values[0], at.values[1])
    }

    fn record(&self, tape: &mut Tape, at: &mut Recording) -> Act {
        add(tape, at.inputs[0], at.inputs[1])
    }

    fn role(&self) -> Role {
        Role::Adds
    }

    fn lower(&self, at: &mut Lowering, step: &Step) -> Result<Vec<Part>> {
        let (a, b) = (at.whole(at.input(step, 0))?, at.whole(at.input(step, 1))?);
        let inner = at.covering(step.requantized)?;
        let (multipliers, shift, offset) = sum_requantizer([a.quantization, b.quantization], inner)
            .ok_or_else(|| Error::Invalid("the scales of its operands are too far from its own".into()))?;
        let (lut, quantization) = at.fused(step, inner)?;
        let output = at.result(step, quantization)?;
        let op = integer::Add { a: a.tensor, b: b.tensor, output: output.tensor, multipliers, offset, shift, lut };
        at.builder.push(integer::Op::Add(op));
        Ok(vec![output])
    }
}

fn sum(a: &[f32], b: &[f32]) -> Buffer {
    let mut y = Buffer::copy_of(a);
    simd::add_assign(&mut y, b);
    y
}

/// Records a + b.
fn add(tape: &mut Tape, a: &Act, b: &Act) -> Act {
    let y = tape.hold(sum(a.values(), b.values()), a.batch(), a.shape());
    let (a, b, out) = (a.clone(), b.clone(), y.clone());
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        a.give_grad(grads, Buffer::copy_of(&dy))?;
        b.give_grad(grads, dy)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::testing::{check_gradients, check_threads};

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3); 2];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| add(tape, &acts[0], &acts[1]);
        check_gradients("add", 3, &shapes, 1, run);
        check_threads("add", 19, &shapes, 1, run);
        let twice = |tape: &mut Tape, acts: &[Act], _: &_| add(tape, &acts[0], &acts[0]);
        check_gradients("add to itself", 3, &shapes[..1], 1, twice);
    }
}
