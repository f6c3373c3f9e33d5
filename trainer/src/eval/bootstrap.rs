//! Bootstrap intervals (Efron 1979) in their normal form: the figure ± 1.96 standard deviations of it over sets drawn
//! anew, with repetition, from the same items. The deviations are used rather than the drawn figures' quantiles because
//! distances between distributions are biased upwards by the drawing itself.
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::Serialize;

/// A figure with the ends of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// `count` indices below `count`, drawn with repetition; a function of `seed` and `stream`.
fn draw(seed: u64, stream: u64, count: usize) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    (0..count).map(|_| rng.random_range(0..count.max(1))).collect()
}

/// The figure of all items and its interval from `repeats` draws. `figure` computes it from the picked items of two
/// sets with `counts` items; a set of no items is not drawn.
pub fn estimate(
    repeats: usize,
    seed: u64,
    counts: [usize; 2],
    figure: impl Fn(&[usize], &[usize]) -> f64 + Sync,
) -> Estimate {
    let [all_a, all_b] = counts.map(|count| (0..count).collect::<Vec<usize>>());
    let value = figure(&all_a, &all_b);
    let drawn: Vec<f64> = (0..repeats as u64)
        .into_par_iter()
        .map(|i| figure(&draw(seed, 2 * i, counts[0]), &draw(seed, 2 * i + 1, counts[1])))
        .collect();
    let mean = drawn.iter().sum::<f64>() / repeats.max(1) as f64;
    let variance = drawn.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (repeats.max(2) - 1) as f64;
    let reach = 1.96 * variance.sqrt();
    Estimate { value, low: value - reach, high: value + reach }
}

/// The share of true items and its interval.
pub fn share(repeats: usize, seed: u64, items: &[bool]) -> Estimate {
    estimate(repeats, seed, [items.len(), 0], |pick, _| {
        pick.iter().filter(|i| items[**i]).count() as f64 / pick.len().max(1) as f64
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_gets_the_interval_of_the_binomial() {
        let items: Vec<bool> = (0..1000).map(|i| i % 5 == 0).collect();
        let found = share(400, 7, &items);
        assert_eq!(found.value, 0.2);
        let reach = 1.96 * (0.2f64 * 0.8 / 1000.0).sqrt();
        assert!(((found.high - found.value) / reach - 1.0).abs() < 0.2, "{found:?}");
        assert!((found.high + found.low - 0.4).abs() < 1e-12);
        assert_eq!(found, share(400, 7, &items), "the same seed gives the same interval");
    }
}
