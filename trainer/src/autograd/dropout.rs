//! Dropout (Srivastava et al. 2014).
use super::pool::Buffer;
use super::tape::{Act, Tape};

/// Records x · `mask`, value by value: a mask of zeros with probability p and of 1/(1 − p) elsewhere keeps the mean.
///
/// # Panics
/// A mask of another length.
pub fn dropout(tape: &mut Tape, x: &Act, mask: Vec<f32>) -> Act {
    assert_eq!(mask.len(), x.values().len());
    let product = |a: &[f32]| -> Vec<f32> { a.iter().zip(&mask).map(|(a, m)| a * m).collect() };
    let y = tape.hold(product(x.values()).into(), x.batch(), x.shape());
    let (x, out) = (x.clone(), y.clone());
    tape.record(move |grads| {
        let mut d: Buffer = out.take_grad(grads)?;
        d.iter_mut().zip(&mask).for_each(|(d, m)| *d *= m);
        x.give_grad(grads, d)
    });
    y
}

#[cfg(test)]
mod tests {
    use super::super::testing::check_gradients;
    use super::*;
    use crate::graph::shape::Shape;

    #[test]
    fn gradients_match_finite_differences() {
        let mask = |len: usize| (0..len).map(|i| [0.0, 2.0, 1.0][i % 3]).collect();
        let run = move |tape: &mut Tape, acts: &[Act], _: &_| {
            let y = dropout(tape, &acts[0], mask(acts[0].values().len()));
            assert!(y
                .values()
                .iter()
                .zip(acts[0].values())
                .enumerate()
                .all(|(i, (y, x))| *y == x * [0.0, 2.0, 1.0][i % 3]));
            y
        };
        check_gradients("dropout", 3, &[Shape::new(1, 1, 7)], 1, run);
    }
}
