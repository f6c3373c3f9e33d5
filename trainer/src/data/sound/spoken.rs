//! The spoken digits that are built in: 8 kHz, six speakers (licence in `assets/spoken/README.md`).
use super::options::SoundOptions;
use super::signals::{cut, signals, Cut};
use super::wav::Recording;
use crate::data::dataset::Dataset;
use crate::data::found::{Found, Opened};
use crate::data::label_array;
use crate::graph::Shape;
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::Path;

/// The name of the set.
pub const SPOKEN: &str = "spoken";
/// Samples a second.
const RATE: u32 = 8000;
/// Samples of a signal, 0.512 s, where nothing else is asked for.
const LENGTH: u32 = 4096;

/// A part of the set: a table of recordings, and their samples.
struct Part {
    name: &'static str,
    table: &'static [u8],
    samples: &'static [u8],
}

const TRAIN: Part = Part {
    name: SPOKEN,
    table: include_bytes!("../../../assets/spoken/train.csv"),
    samples: include_bytes!("../../../assets/spoken/train.flac"),
};
const TEST: Part = Part {
    name: "spoken (test)",
    table: include_bytes!("../../../assets/spoken/test.csv"),
    samples: include_bytes!("../../../assets/spoken/test.flac"),
};

/// The 2,700 recordings to train with, on the axes `digit` and `speaker`.
///
/// # Errors
/// Options that do not fit the recordings.
pub fn train(options: &SoundOptions) -> Result<Opened> {
    decoded(&TRAIN, options)
}

/// The 300 recordings of index 0 to 4, for evaluation only.
///
/// # Errors
/// As [`train`].
pub fn test(options: &SoundOptions) -> Result<Opened> {
    decoded(&TEST, options)
}

fn decoded(part: &Part, options: &SoundOptions) -> Result<Opened> {
    let broken = |what: String| Error::file(part.name, what);
    let mut texts = Vec::new();
    let mut lengths = Vec::new();
    let mut table = csv::Reader::from_reader(part.table);
    for row in table.records() {
        let row = row.map_err(|e| broken(e.to_string()))?;
        texts.extend([row[0].to_owned(), row[1].to_owned()]);
        lengths.push(row[3].parse::<usize>().map_err(|e| broken(e.to_string()))?);
    }
    let mut flac = claxon::FlacReader::new(part.samples).map_err(|e| broken(e.to_string()))?;
    let samples: std::result::Result<Vec<i32>, _> = flac.samples().collect();
    let mut rest = &samples.map_err(|e| broken(e.to_string()))?[..];
    if rest.len() != lengths.iter().sum::<usize>() {
        return Err(broken("holds another number of samples than its table".into()));
    }
    let takes: Vec<&[i32]> = lengths
        .iter()
        .map(|len| {
            let (take, behind) = rest.split_at(*len);
            rest = behind;
            take
        })
        .collect();
    let path = Path::new(part.name);
    let labels = label_array::named(path, vec!["digit".into(), "speaker".into()], &texts)?;
    let rate = options.rate.unwrap_or(RATE);
    let cuts: Vec<Cut> = takes
        .into_par_iter()
        .map(|take| {
            let samples = take.iter().map(|sample| *sample as f32 / 32_768.0).collect();
            cut(&Recording { samples, rate: RATE, clipped: false }, rate, options).map_err(broken)
        })
        .collect::<Result<_>>()?;
    let length = options.length.unwrap_or(LENGTH * rate / RATE) as usize;
    let signals = signals(cuts, Some(&labels), rate, length, options)?;
    let found = Found { form: "built in".into(), notes: signals.notes, ..Found::default() };
    let data = Dataset::checked(path, Shape::new(1, length, 1), signals.values, Some(labels))?;
    Ok(Opened { data: Dataset { sound: Some(signals.sound), ..data }, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sets_decode() {
        let usual = SoundOptions::default();
        let [train, test] = [train(&usual).unwrap().data, test(&usual).unwrap().data];
        for (set, count) in [(&train, 2700), (&test, 300)] {
            assert_eq!((set.len(), set.shape), (count, Shape::new(1, 4096, 1)));
            let labels = set.labels.as_ref().unwrap();
            assert_eq!(labels.counts(0), vec![count / 10; 10]);
            assert_eq!(labels.counts(1), vec![count / 6; 6]);
            assert_eq!(labels.axes[0].classes[7], "7");
            assert_eq!(labels.axes[1].classes[0], "george");
            let sound = set.sound.unwrap();
            assert!(sound.rate == 8000 && (6.66..6.75).contains(&sound.scale), "{sound:?}");
            // Pulses point down, and the strongest of the middle lies there.
            let values = set.images.to_vec();
            let skew = values.iter().map(|v| f64::from(*v).powi(3)).sum::<f64>();
            assert!(skew < 0.0, "{skew}");
            let middle = |at: usize| values.chunks_exact(4096).map(|s| f64::from(s[at])).sum::<f64>() / count as f64;
            let around = |at: usize| (1968..2129).all(|other| middle(other) >= middle(at));
            assert!((2046..=2050).any(around), "the mean signal is lowest at its middle");
        }
        assert_ne!(train.digest(), test.digest());
    }

    #[test]
    fn options_change_the_signals() {
        let options = SoundOptions { rate: Some(16_000), length: Some(512), ..SoundOptions::default() };
        let opened = decoded(&TEST, &options).unwrap();
        assert_eq!((opened.data.shape, opened.data.sound.unwrap().rate), (Shape::new(1, 512, 1), 16_000));
        assert!(opened.found.notes[0].contains("are longer than a signal"), "{:?}", opened.found.notes);
        let polarity = Some("mood".into());
        let error = decoded(&TEST, &SoundOptions { polarity, ..SoundOptions::default() }).unwrap_err();
        assert!(error.to_string().contains("the data have the axes digit, speaker"), "{error}");
    }
}
