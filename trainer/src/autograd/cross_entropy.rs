//! Softmax and cross-entropy: the loss of a classifier.
use super::loss::Loss;
use super::pool::Buffer;
use super::tape::{Act, Tape};

/// Records the mean over the batch of −ln softmax(logits)\[label\], with one label an image.
///
/// # Panics
/// A label that has no logit.
pub fn softmax_cross_entropy(tape: &mut Tape, logits: &Act, labels: &[u8]) -> Loss {
    let (value, grad) = value_and_gradient(logits, labels);
    Loss::record(tape, logits, value, grad)
}

/// What [`softmax_cross_entropy`] records.
///
/// # Panics
/// A label that has no logit.
pub fn value_and_gradient(logits: &Act, labels: &[u8]) -> (f64, Buffer) {
    let classes = logits.shape().len();
    let mut grad = Buffer::stale(logits.values().len());
    let mut value = 0.0;
    let rows = grad.chunks_exact_mut(classes).zip(logits.values().chunks_exact(classes));
    for ((grad, logits), label) in rows.zip(labels) {
        let label = usize::from(*label);
        let probabilities = softmax(logits);
        value -= probabilities[label].max(f64::MIN_POSITIVE).ln();
        for (k, (g, p)) in grad.iter_mut().zip(&probabilities).enumerate() {
            let target = if k == label { 1.0 } else { 0.0 };
            *g = ((p - target) / labels.len() as f64) as f32;
        }
    }
    (value / labels.len() as f64, grad)
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

    const LABELS: [u8; 3] = [2, 0, 3];

    fn loss(logits: &[f32]) -> (Loss, Tape, Act) {
        let mut tape = Tape::default();
        let act = tape.hold(logits.to_vec().into(), 3, Shape::new(1, 1, 4));
        (softmax_cross_entropy(&mut tape, &act, &LABELS), tape, act)
    }

    #[test]
    fn equal_logits_cost_the_logarithm_of_their_number() {
        assert!((loss(&[7.0; 12]).0.value - 4f64.ln()).abs() < 1e-12);
    }

    #[test]
    fn gradient_matches_finite_differences() {
        let logits: Vec<f32> = (0..12).map(|i| (i as f32 * 1.7).sin() * 3.0).collect();
        let (value, tape, act) = loss(&logits);
        let grad = act.take_grad(&mut value.backward(tape).unwrap()).unwrap();
        for i in 0..12 {
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
