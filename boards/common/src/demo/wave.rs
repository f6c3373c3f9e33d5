//! A signal as a waveform: from the lowest to the highest of the samples of every column, as `trainer` draws it.

use core::ops::RangeInclusive;

/// Whether an image of this shape is a signal: one row of samples.
pub fn is_signal([height, width, _]: [usize; 3]) -> bool {
    height == 1 && width > 1
}

/// The rows of each of `columns` columns, of `rows` from the top, that the waveform of `length` samples covers. Of several
/// channels the first is shown; what is beyond [−1, 1] is clipped.
pub fn columns(
    mut values: impl Iterator<Item = f32>,
    [length, channels]: [usize; 2],
    [columns, rows]: [usize; 2],
) -> impl Iterator<Item = RangeInclusive<usize>> {
    let most = rows.saturating_sub(1);
    // Conversion saturates, so any float is in range.
    let row = move |value: f32| (((1.0 - value) * 0.5 * most as f32 + 0.5) as usize).min(most);
    let (mut taken, mut last) = (0, 0.0);
    (0..columns).map(move |column| {
        let start = column * length / columns;
        let end = ((column + 1) * length / columns).max(start + 1);
        let mut part: Option<[f32; 2]> = None;
        while taken < end {
            last = values.next().unwrap_or_default();
            (1..channels).for_each(|_| _ = values.next());
            taken += 1;
            if taken > start {
                let [low, high] = part.unwrap_or([last; 2]);
                part = Some([low.min(last), high.max(last)]);
            }
        }
        // With fewer samples than columns one is shown in several.
        let [low, high] = part.unwrap_or([last; 2]);
        row(high)..=row(low)
    })
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    fn found(values: &[f32], channels: usize, size: [usize; 2]) -> Vec<RangeInclusive<usize>> {
        columns(values.iter().copied(), [values.len() / channels, channels], size).collect()
    }

    /// The highest value is the top row, the lowest the bottom row, 0 the middle.
    #[test]
    fn columns_reach_from_the_lowest_to_the_highest() {
        let values = [0.0, 1.0, -1.0, 0.5, 0.0, 0.0];
        assert_eq!(found(&values, 1, [3, 5]), [0..=2, 1..=4, 2..=2]);
        assert_eq!(found(&[9.0, -9.0, f32::NAN, 0.0], 1, [2, 5]), [0..=4, 2..=2]);
    }

    /// Every sample is seen once, also where columns have unequal numbers of them.
    #[test]
    fn no_sample_is_left_out() {
        for length in [64, 65, 100, 4096] {
            for peak in 0..length {
                let mut values = std::vec![0.0; length];
                values[peak] = 1.0;
                let lit = found(&values, 1, [64, 9]).iter().filter(|rows| *rows.start() == 0).count();
                assert_eq!(lit, 1, "{peak} of {length}");
            }
        }
    }

    /// Of several channels the first; fewer samples than columns are repeated; none at all are silence.
    #[test]
    fn any_length_and_channels() {
        assert_eq!(found(&[1.0, -1.0, -1.0, 1.0], 2, [2, 3]), [0..=0, 2..=2]);
        assert_eq!(found(&[1.0, -1.0], 1, [4, 3]), [0..=0, 0..=0, 2..=2, 2..=2]);
        assert_eq!(found(&[], 1, [2, 3]), [1..=1, 1..=1]);
        assert!([[1, 2, 1], [1, 4096, 2]].into_iter().all(is_signal));
        assert!(![[1, 1, 20], [28, 28, 1], [2, 1, 1], [0, 0, 0]].into_iter().any(is_signal));
    }
}
