//! Classes as the classifier reads them: how many are those that were asked for, and how they are distributed.
use super::classifier::CLASSES;

/// The share of each class among `classes`.
pub fn shares(classes: impl Iterator<Item = u8>) -> [f64; CLASSES] {
    let mut counts = [0.0; CLASSES];
    let mut total = 0.0f64;
    for class in classes {
        counts[usize::from(class)] += 1.0;
        total += 1.0;
    }
    counts.map(|count| count / total.max(1.0))
}

/// The total variation ½Σ|p − q| of two distributions: 0 when they are equal, 1 when they share no class.
pub fn total_variation(p: [f64; CLASSES], q: [f64; CLASSES]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variations() {
        let even = shares(0..10);
        assert!(even.iter().all(|p| (p - 0.1).abs() < 1e-12));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} instead of {b}");
        close(total_variation(even, even), 0.0);
        close(total_variation(shares([3].into_iter()), even), 0.9);
        close(total_variation(shares([1, 2].into_iter()), shares([3, 4, 4].into_iter())), 1.0);
        close(total_variation(shares([1, 1, 2, 2].into_iter()), shares([1, 2, 2, 2].into_iter())), 0.25);
    }
}
