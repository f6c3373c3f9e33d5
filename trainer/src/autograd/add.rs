//! Sum of two activations of one shape.
use super::{simd, Act, Buffer, Tape};

/// a + b.
pub fn forward(a: &[f32], b: &[f32]) -> Buffer {
    let mut y = Buffer::copy_of(a);
    simd::add_assign(&mut y, b);
    y
}

/// Records a + b.
pub fn add(tape: &mut Tape, a: &Act, b: &Act) -> Act {
    let y = tape.hold(forward(a.values(), b.values()), a.batch(), a.shape());
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
    use super::super::testing::{check_gradients, check_threads};
    use super::*;
    use crate::graph::Shape;

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
