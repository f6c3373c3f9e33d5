//! How classes are distributed.
use crate::autograd::cross_entropy::parts;

/// The share of each class of each axis, axis after axis: `heads` are the numbers of classes, and `classes` has one of
/// every image and axis, of which `pick` names the images.
pub fn shares(heads: &[usize], classes: &[u8], pick: impl Iterator<Item = usize>) -> Vec<f64> {
    let mut counts = vec![0.0; heads.iter().sum()];
    let mut total = 0.0f64;
    for image in pick {
        let classes = &classes[image * heads.len()..(image + 1) * heads.len()];
        parts(heads).zip(classes).for_each(|(head, class)| counts[head.start + usize::from(*class)] += 1.0);
        total += 1.0;
    }
    counts.into_iter().map(|count| count / total.max(1.0)).collect()
}

/// The total variation ½Σ|p − q| of two distributions: 0 when they are equal, 1 when they share no class; the mean over
/// the axes.
pub fn total_variation(heads: &[usize], p: &[f64], q: &[f64]) -> f64 {
    0.5 * p.iter().zip(q).map(|(p, q)| (p - q).abs()).sum::<f64>() / heads.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_variations() {
        let one = |classes: &[u8]| shares(&[10], classes, 0..classes.len());
        let even = one(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
        assert!(even.iter().all(|p| (p - 0.1).abs() < 1e-12));
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} instead of {b}");
        let variation = |p: &[f64], q: &[f64]| total_variation(&[10], p, q);
        close(variation(&even, &even), 0.0);
        close(variation(&one(&[3]), &even), 0.9);
        close(variation(&one(&[1, 2]), &one(&[3, 4, 4])), 1.0);
        close(variation(&one(&[1, 1, 2, 2]), &one(&[1, 2, 2, 2])), 0.25);
        // Two axes: one agrees, the other does not at all.
        let (a, b) = ([0, 2, 1, 2], [1, 0, 0, 0]);
        let two = |classes: &[u8]| shares(&[2, 3], classes, 0..2);
        assert_eq!(two(&a), [0.5, 0.5, 0.0, 0.0, 1.0]);
        close(total_variation(&[2, 3], &two(&a), &two(&b)), 0.5);
        assert_eq!(shares(&[2, 3], &a, [1, 1].into_iter()), [0.0, 1.0, 0.0, 0.0, 1.0]);
    }
}
