//! Sound that a model draws: what its file says of it, and its values as samples of 16 bits. What a board plays and what
//! a WAV of the same draw holds are these, sample for sample, on every target.
//!
//! ```
//! use brownian::sound::sample;
//!
//! assert_eq!([0.5, -0.5, 7.0, -7.0, f32::NAN].map(|value| sample(value, 1.0)), [16384, -16384, 32767, -32767, 0]);
//! ```

use crate::Model;

/// Samples a second that are taken for sound.
const RATES: core::ops::RangeInclusive<u32> = 1000..=192_000;
/// Places of a level behind its point that count; with more it would not be exact in an f32.
const PLACES: usize = 7;

/// What a model's file says of the sound that it draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// The root mean square, of 1 at full scale, that every signal of the data was brought to, if they were.
    pub level: Option<f32>,
}

impl Sound {
    /// Of a model of signals (samples of height 1) that says how many samples a second it has learned: by `sample_rate` in
    /// the table `run` of its provenance. The level is `level`, before the first table. `None` for any other model.
    pub fn of(model: &Model) -> Option<Self> {
        let [height, width, _] = model.shape();
        let provenance = model.header().provenance;
        let rate: u32 = field(provenance, "run", "sample_rate")?.parse().ok()?;
        (height == 1 && width > 1 && RATES.contains(&rate)).then(|| {
            let level = field(provenance, "", "level").and_then(decimal);
            Self { rate, level: level.filter(|level| *level > 0.0 && *level <= 1.0) }
        })
    }

    /// The factor that brings `values` to the level; 1 without a level, and where the values are silent or no numbers.
    ///
    /// Sums in f32, in the values' order.
    pub fn gain(&self, values: impl Iterator<Item = f32>) -> f32 {
        let Some(level) = self.level else { return 1.0 };
        let (power, count) = values.fold((0.0f32, 0u32), |(power, count), value| (power + value * value, count + 1));
        let gain = level / libm::sqrtf(power / count as f32);
        if gain.is_finite() && gain > 0.0 {
            gain
        } else {
            1.0
        }
    }
}

/// The values of a signal that are heard: those of its first channel.
pub fn heard(values: impl Iterator<Item = f32>, channels: usize) -> impl Iterator<Item = f32> {
    values.step_by(channels.max(1))
}

/// A value times `gain` as a sample: ±1 becomes ±32767, what is between the nearest, halves away from 0; what is beyond is
/// clipped, what is no number is 0.
pub fn sample(value: f32, gain: f32) -> i16 {
    // Conversion makes 0 of NaN.
    libm::roundf((value * gain).clamp(-1.0, 1.0) * 32_767.0) as i16
}

/// The value of a key in a table of a TOML text that has each key on a line, as `toml` writes it; before the first table the
/// table is "".
fn field<'a>(text: &'a str, table: &str, key: &str) -> Option<&'a str> {
    let mut is_in = table.is_empty();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[') {
            is_in = name.strip_suffix(']') == Some(table);
        } else if let Some((name, value)) = line.split_once('=').filter(|_| is_in) {
            if name.trim() == key {
                return Some(value.trim());
            }
        }
    }
    None
}

/// A number from 0 to 1 as digits with a point, such as 0.15, of which so many places count; `None` of anything else. A parser
/// of any float would take kilobytes of a chip's flash.
fn decimal(text: &str) -> Option<f32> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let (mut digits, mut scale) = (whole.parse::<u32>().ok().filter(|whole| *whole <= 1)?, 1u32);
    for (index, digit) in places.bytes().enumerate() {
        let value = u32::from(digit.checked_sub(b'0').filter(|value| *value < 10)?);
        if index < PLACES {
            (digits, scale) = (digits * 10 + value, scale * 10);
        }
    }
    // Both are exact, so the quotient is rounded once.
    (digits <= scale).then(|| digits as f32 / scale as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values nearest to a sample become it; beyond full scale all are clipped.
    #[test]
    fn values_are_rounded_to_the_nearest_sample() {
        for expected in -32_767..=32_767i16 {
            let value = f32::from(expected) / 32_767.0;
            for value in [value, value + 0.4 / 32_767.0, value - 0.4 / 32_767.0] {
                assert_eq!(sample(value, 1.0), expected, "{value}");
            }
        }
        let half = 0.5 / 32_767.0;
        assert_eq!([half, -half].map(|value| sample(value, 1.0)), [1, -1]);
        assert_eq!([1.0, 1.5, f32::INFINITY, 3e38].map(|value| sample(value, 1.0)), [32_767; 4]);
        assert_eq!([-1.0, -1.5, f32::NEG_INFINITY, -3e38].map(|value| sample(value, 1.0)), [-32_767; 4]);
        assert_eq!([f32::NAN, 0.0, -0.0, 1e-40].map(|value| sample(value, 1.0)), [0; 4]);
        assert_eq!([sample(0.25, 2.0), sample(0.9, 2.0), sample(0.0, f32::INFINITY)], [16_384, 32_767, 0]);
    }

    /// A signal of any loudness gets the level, but for silence and what is no number.
    #[test]
    fn a_signal_is_brought_to_its_level() {
        let sound = Sound { rate: 8000, level: Some(0.15) };
        for loud in [1e-3, 0.1, 0.15, 3.0] {
            let values = [loud, -loud, loud, -loud];
            let found = sound.gain(values.into_iter()) * loud;
            assert!((found - 0.15).abs() < 1e-6, "{loud}: {found}");
        }
        for values in [&[0.0; 4][..], &[], &[f32::NAN, 1.0], &[f32::INFINITY], &[1e-30; 4]] {
            assert_eq!(sound.gain(values.iter().copied()), 1.0, "{values:?}");
        }
        assert_eq!(Sound { level: None, ..sound }.gain([0.1].into_iter()), 1.0);
        assert!(heard([1.0, 2.0, 3.0, 4.0].into_iter(), 2).eq([1.0, 3.0]));
    }

    /// A key counts in its table alone.
    #[test]
    fn keys_are_found_in_their_tables() {
        let text = "name = \"x = 1\"\nlevel = 0.15\n\n[a]\nrate = 1\nlevel = 2\n\n[run]\nlevel = 3\nrate = 8000\n\n[run.b]\nc = 4\n\n[[run.d]]\nrate = 5\n";
        let find = |table, key| field(text, table, key);
        assert_eq!(
            [find("", "level"), find("run", "rate"), find("a", "rate")],
            [Some("0.15"), Some("8000"), Some("1")]
        );
        assert_eq!([find("", "rate"), find("run", "c"), find("run.b", "rate"), find("d", "rate")], [None; 4]);
        assert_eq!(find("", "name"), Some("\"x = 1\""));
    }

    /// As the standard library reads them, to seven places.
    #[test]
    fn decimals_are_numbers() {
        for text in ["0.15", "0.1", "1", "1.0", "0.0001", "0.333333", "0.9999999", "0", "0.7071068"] {
            assert_eq!(decimal(text), Some(text.parse().unwrap()), "{text}");
        }
        assert_eq!(decimal("0.123456789"), Some(0.1234567));
        for text in ["", ".5", "-1", "+1.5", "1e-3", "0.1x", "nan", "1.5", "2", "1.2.3", "\"0.15\"", "0,15"] {
            assert_eq!(decimal(text), None, "{text}");
        }
    }
}
