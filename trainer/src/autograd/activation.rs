//! Pointwise non-linearities.
use super::{simd, Act, Buffer, Tape, CHUNKS};
use crate::graph::Activation;
use rayon::prelude::*;

/// y = activation(x).
pub fn forward(kind: Activation, x: &[f32]) -> Buffer {
    let mut y = Buffer::stale(x.len());
    let per = x.len().div_ceil(CHUNKS).max(1);
    x.par_chunks(per).zip(y.par_chunks_mut(per)).for_each(|(x, y)| match kind {
        Activation::Silu => simd::silu(x, y),
        Activation::Relu => x.iter().zip(y).for_each(|(x, y)| *y = x.max(0.0)),
    });
    y
}

/// Records y = activation(x).
pub fn activation(tape: &mut Tape, kind: Activation, x: &Act) -> Act {
    let y = tape.hold(forward(kind, x.values()), x.batch(), x.shape());
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let mut d = out.take_grad(grads)?;
        let per = d.len().div_ceil(CHUNKS).max(1);
        x.values().par_chunks(per).zip(d.par_chunks_mut(per)).for_each(|(x, d)| match kind {
            Activation::Silu => simd::silu_backward(x, d),
            Activation::Relu => x.iter().zip(d).for_each(|(x, d)| *d *= f32::from(u8::from(*x > 0.0))),
        });
        x.give_grad(grads, d)
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
        let shape = Shape::new(5, 5, 3);
        for kind in [Activation::Silu, Activation::Relu] {
            let run = move |tape: &mut Tape, acts: &[Act], _: &_| activation(tape, kind, &acts[0]);
            check_gradients(&format!("{kind:?}"), 3, &[shape], 1, run);
            check_threads(&format!("{kind:?}"), 19, &[shape], 1, run);
        }
    }

    #[test]
    fn values() {
        let x = [-20.0, -1.0, 0.0, 1.0, 30.0];
        for (y, x) in forward(Activation::Silu, &x).iter().zip(x) {
            assert!((y - x / (1.0 + (-x).exp())).abs() < 1e-5);
        }
        assert_eq!(&forward(Activation::Relu, &x)[..], [0.0, 0.0, 0.0, 1.0, 30.0]);
    }
}
