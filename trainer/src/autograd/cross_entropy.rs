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

/// Takes the gradient of each head that gives its label at least the probability `confidence` for zero.
///
/// # Panics
/// A label that has no logit.
pub fn forgive(gradient: &mut [f32], logits: &Act, heads: &[usize], labels: &[u8], confidence: f64) {
    let width = logits.shape().len();
    let rows = gradient.chunks_exact_mut(width).zip(logits.values().chunks_exact(width));
    for ((gradient, logits), labels) in rows.zip(labels.chunks_exact(heads.len())) {
        for (head, label) in parts(heads).zip(labels) {
            if softmax(&logits[head.clone()])[usize::from(*label)] >= confidence {
                gradient[head].fill(0.0);
            }
        }
    }
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
    fn heads_that_are_sure_of_their_label_get_no_gradient() {
        let sure = |label: f32| [0.0, 0.0, 5.0, 0.0, label, 0.0];
        let logits = [sure(1.0), sure(0.0), sure(-5.0)].concat();
        let tape = Tape::default();
        let act = tape.hold(logits.into(), 3, Shape::new(1, 1, 6));
        let labels = [2, 0, 0, 0, 2, 1];
        let (_, before) = value_and_gradient(&act, &[4, 2], &labels);
        for (confidence, expected) in [(1.0, [false; 6]), (0.9, [true, false, false, false, true, true])] {
            let mut gradient = before.to_vec();
            forgive(&mut gradient, &act, &[4, 2], &labels, confidence);
            let heads = (0..3).flat_map(|row| [6 * row..6 * row + 4, 6 * row + 4..6 * row + 6]);
            for (head, forgiven) in heads.zip(expected) {
                let kept = if forgiven { vec![0.0; head.len()] } else { before[head.clone()].to_vec() };
                assert_eq!(gradient[head], kept);
            }
        }
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
