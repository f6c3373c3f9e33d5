//! Bootstrap intervals (Efron 1979) in their normal form: the figure ± 1.96 standard deviations of it over sets drawn
//! anew, with repetition, from the same items. The deviations are used rather than the drawn figures' quantiles because
//! distances between distributions are biased upwards by the drawing itself. No interval goes below 0, as no figure here
//! does. Shares have an interval of their own.
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
    Estimate { value, low: (value - reach).max(0.0).min(value), high: value + reach }
}

/// The share of true items with the interval of Wilson 1927, whose ends are shares too.
pub fn share(items: &[bool]) -> Estimate {
    let count = items.len().max(1) as f64;
    let value = items.iter().filter(|item| **item).count() as f64 / count;
    let z = 1.96;
    let middle = value + z * z / (2.0 * count);
    let reach = z * (value * (1.0 - value) / count + (z / (2.0 * count)).powi(2)).sqrt();
    let [low, high] = [middle - reach, middle + reach].map(|end| (end / (1.0 + z * z / count)).clamp(0.0, 1.0));
    Estimate { value, low: low.min(value), high: high.max(value) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_interval_goes_below_0() {
        let values = [0.0, 0.0, 0.0, 1.0];
        let found = estimate(50, 1, [4, 0], |pick, _| pick.iter().map(|i| values[*i]).sum::<f64>() / 4.0);
        assert!(found.value == 0.25 && found.low == 0.0 && found.high > 0.5, "{found:?}");
    }

    #[test]
    fn a_share_gets_the_interval_of_wilson() {
        let of = |right: usize, count: usize| share(&(0..count).map(|i| i < right).collect::<Vec<bool>>());
        let near = |found: Estimate, ends: [f64; 2]| {
            assert!((found.low - ends[0]).abs() < 1e-4 && (found.high - ends[1]).abs() < 1e-4, "{found:?}");
        };
        // Agresti and Coull 1998 show the interval of 9 of 10; the ends of 0 and of all are 0 and 1.
        near(of(9, 10), [0.5958, 0.9821]);
        near(of(0, 10), [0.0, 0.2775]);
        near(of(1000, 1000), [0.9962, 1.0]);
        // Of many it is that of the normal distribution.
        let many = of(20_000, 100_000);
        let reach = 1.96 * (0.2f64 * 0.8 / 100_000.0).sqrt();
        near(many, [0.2 - reach, 0.2 + reach]);
        assert_eq!(share(&[]).value, 0.0);
    }
}
