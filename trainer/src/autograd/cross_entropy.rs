//! Softmax and cross-entropy: the loss of a classifier, which may tell several things of an image: its logits are then
//! those of several heads one behind the other, with a softmax each.
use super::loss::Loss;
use super::pool::Buffer;
use super::tape::{Act, Tape};
use std::ops::Range;

/// Records the mean over the batch of −Σ ln softmax(logits)\[label\] over the heads, where `heads` are the numbers of
/// their logits and `labels` has one for every image and head.
///
/// # Panics
/// A label that has no logit.
pub fn softmax_cross_entropy(tape: &mut Tape, logits: &Act, heads: &[usize], labels: &[u8]) -> Loss {
    let (value, grad) = value_and_gradient(logits, heads, labels);
    Loss::record(tape, logits, value, grad)
}

/// What [`softmax_cross_entropy`] records.
///
/// # Panics
/// A label that has no logit.
pub fn value_and_gradient(logits: &Act, heads: &[usize], labels: &[u8]) -> (f64, Buffer) {
    let (count, width) = (logits.batch() as f64, logits.shape().len());
    let mut grad = Buffer::stale(logits.values().len());
    let mut value = 0.0;
    let rows = grad.chunks_exact_mut(width).zip(logits.values().chunks_exact(width));
    for ((grad, logits), labels) in rows.zip(labels.chunks_exact(heads.len())) {
        for (head, label) in parts(heads).zip(labels) {
            let label = usize::from(*label);
            let probabilities = softmax(&logits[head.clone()]);
            value -= probabilities[label].max(f64::MIN_POSITIVE).ln();
            for (k, (g, p)) in grad[head].iter_mut().zip(&probabilities).enumerate() {
                let target = if k == label { 1.0 } else { 0.0 };
                *g = ((p - target) / count) as f32;
            }
        }
    }
    (value / count, grad)
}

/// The columns of each head.
pub fn parts(heads: &[usize]) -> impl Iterator<Item = Range<usize>> + '_ {
    heads.iter().scan(0, |first, len| {
        let part = *first..*first + len;
        *first = part.end;
        Some(part)
    })
}

/// exp(x) divided by its sum.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|l| f64::from(l - largest).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|p| p / sum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::shape::Shape;

    const LABELS: [u8; 6] = [2, 1, 0, 0, 3, 1];

    /// Three images, each with two heads of four and two logits.
    fn loss(logits: &[f32]) -> (Loss, Tape, Act) {
        let mut tape = Tape::default();
        let act = tape.hold(logits.to_vec().into(), 3, Shape::new(1, 1, 6));
        (softmax_cross_entropy(&mut tape, &act, &[4, 2], &LABELS), tape, act)
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_their_number() {
        assert!((loss(&[7.0; 18]).0.value - 8f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let logits: Vec<f32> = (0..18).map(|i| (i as f32 * 1.7).sin() * 3.0).collect();
        let (value, tape, act) = loss(&logits);
        let grad = act.take_grad(&mut value.backward(tape).unwrap()).unwrap();
        for i in 0..18 {
            let moved = |by: f32| {
                let mut logits = logits.clone();
                logits[i] += by;
                loss(&logits).0.value
            };
            let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
            assert!((f64::from(grad[i]) - expected).abs() < 1e-4, "{i}: {} instead of {expected}", grad[i]);
        }
    }
}
