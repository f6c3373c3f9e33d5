//! Weighted sums of activations, and their limits: what a step of a reverse chain computes.
use super::chunks::CHUNKS;
use super::pool::Buffer;
use super::tape::{Act, Tape};
use rayon::prelude::*;

/// Records Σ coefficient·activation, all of one shape.
///
/// # Panics
/// Without terms.
pub fn weighted_sum(tape: &mut Tape, terms: &[(f32, &Act)]) -> Act {
    let first = terms[0].1;
    let mut values = Buffer::zeros(first.values().len());
    let per = values.len().div_ceil(CHUNKS).max(1);
    for (coefficient, act) in terms {
        let chunks = values.par_chunks_mut(per).zip(act.values().par_chunks(per));
        chunks.for_each(|(y, x)| y.iter_mut().zip(x).for_each(|(y, x)| *y += coefficient * x));
    }
    let y = tape.hold(values, first.batch(), first.shape());
    let terms: Vec<(f32, Act)> = terms.iter().map(|(c, act)| (*c, (*act).clone())).collect();
    let out = y.clone();
    tape.record(move |grads| {
        let dy = out.take_grad(grads)?;
        for (coefficient, act) in terms {
            let mut d = Buffer::copy_of(&dy);
            d.iter_mut().for_each(|d| *d *= coefficient);
            act.give_grad(grads, d)?;
        }
        Ok(())
    });
    y
}

/// Records x clipped to [-1, 1]; the gradient is that of the identity inside, and outside where a descent step leads
/// back in.
pub fn clip(tape: &mut Tape, x: &Act) -> Act {
    let values = x.values().iter().map(|v| v.clamp(-1.0, 1.0)).collect::<Vec<_>>();
    let y = tape.hold(values.into(), x.batch(), x.shape());
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let mut d = out.take_grad(grads)?;
        for (d, x) in d.iter_mut().zip(x.values()) {
            if (*x > 1.0 && *d < 0.0) || (*x < -1.0 && *d > 0.0) {
                *d = 0.0;
            }
        }
        x.give_grad(grads, d)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::loss::weighted_mse;
    use super::super::testing::{check_gradients, check_threads};
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn gradients_match_finite_differences() {
        let shapes = [Shape::new(5, 4, 3); 3];
        let run = |tape: &mut Tape, acts: &[Act], _: &_| {
            weighted_sum(tape, &[(0.5, &acts[0]), (-2.0, &acts[1]), (1.5, &acts[2]), (0.25, &acts[0])])
        };
        check_gradients("weighted sum", 3, &shapes, 1, run);
        check_threads("weighted sum", 19, &shapes, 1, run);
        check_gradients("clip inside", 3, &shapes[..1], 1, |tape: &mut Tape, acts: &[Act], _: &_| clip(tape, &acts[0]));
    }

    #[test]
    fn clipped_values_can_only_come_back() {
        let mut tape = Tape::default();
        let x = tape.hold(vec![3.0, 3.0, -3.0, -3.0].into(), 4, Shape::new(1, 1, 1));
        let y = clip(&mut tape, &x);
        assert_eq!(y.values(), [1.0, 1.0, -1.0, -1.0]);
        // d = 2·(y − target)/4: down, up, down, up.
        let loss = weighted_mse(&mut tape, &y, &[0.0, 2.0, -2.0, 0.0], &[1.0; 4]);
        let mut grads = loss.backward(tape).unwrap();
        assert_eq!(&x.take_grad(&mut grads).unwrap()[..], [0.5, 0.0, 0.0, -0.5]);
    }
}
