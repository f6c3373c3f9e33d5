//! From recordings with their labels to the signals of a data set.
use super::filter::resampled;
use super::options::SoundOptions;
use super::prepare::{laid, trimmed, Trimmed};
use super::wav::{self, Recording};
use crate::data::dataset::Sound;
use crate::data::Labels;
use crate::{Error, Result};
use rayon::prelude::*;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

/// The axis whose classes are turned over together where nothing is said.
const SPEAKER: &str = "speaker";
/// Mean of a recording, of 1 at full scale, from which on it is shifted.
const SHIFTED: f32 = 0.02;

/// Signals, one after the other.
pub struct Signals {
    /// `[signals][length]`, in [-1, 1].
    pub values: Vec<f32>,
    /// What they are.
    pub sound: Sound,
    /// What was decided.
    pub notes: Vec<String>,
    /// What is doubtful.
    pub warnings: Vec<String>,
}

/// A recording with its ends cut off, at the rate of the signals.
pub struct Cut {
    trimmed: Trimmed,
    clipped: bool,
    shift: f32,
}

/// Brings a recording to the rate of the signals, and cuts its ends off.
///
/// # Errors
/// What is no sound, in words that go on after the name of the recording.
pub fn cut(recording: &Recording, rate: u32, options: &SoundOptions) -> std::result::Result<Cut, String> {
    let samples = resampled(&recording.samples, recording.rate, rate)?;
    let shift = samples.iter().sum::<f32>() / samples.len().max(1) as f32;
    Ok(Cut { trimmed: trimmed(&samples, rate, options)?, clipped: recording.clipped, shift })
}

/// The signal of one recording, of this rate and length, as `options` say.
///
/// # Errors
/// A file that is no WAV, or of which nothing is left.
pub fn one_recording(path: &Path, rate: u32, length: usize, options: &SoundOptions) -> Result<Vec<f32>> {
    // There are no classes that could be turned over together.
    let polarity = options.polarity.clone().filter(|polarity| polarity == "each");
    let options = SoundOptions { polarity: polarity.or(Some("none".into())), ..options.clone() };
    let cut = wav::read(path).and_then(|recording| cut(&recording, rate, &options));
    let cut = cut.map_err(|what| Error::file(path, what))?;
    Ok(signals(vec![cut], None, rate, length, &options).map_err(|e| Error::file(path, e))?.values)
}

/// Samples of the shortest and the longest.
pub fn lengths(cuts: &[Cut]) -> [usize; 2] {
    let lengths = cuts.iter().map(|cut| cut.trimmed.samples.len());
    [lengths.clone().min().unwrap_or(0), lengths.max().unwrap_or(0)]
}

/// Lays recordings into signals of `length` samples.
///
/// # Errors
/// `--polarity` by an axis that is not there, or a recording of which nothing is left.
pub fn signals(
    cuts: Vec<Cut>,
    labels: Option<&Labels>,
    rate: u32,
    length: usize,
    options: &SoundOptions,
) -> Result<Signals> {
    let (mut notes, mut warnings) = (Vec::new(), Vec::new());
    let over = turned(&cuts, labels, options)?;
    let mut values = vec![0.0; length * cuts.len()];
    let peaks = AtomicUsize::new(0);
    values.par_chunks_exact_mut(length).zip(&cuts).zip(&over).enumerate().try_for_each(
        |(i, ((signal, cut), over))| {
            let clipped = laid(&cut.trimmed.samples, *over, rate, options, signal);
            let clipped = clipped.map_err(|what| Error::Invalid(format!("recording {i} {what}")))?;
            peaks.fetch_add(usize::from(clipped > 0), Ordering::Relaxed);
            Ok::<_, Error>(())
        },
    )?;
    let longer = cuts.iter().filter(|cut| cut.trimmed.samples.len() > length).count();
    if longer > 0 {
        let share = 100.0 * longer as f64 / cuts.len() as f64;
        notes.push(format!(
            "{longer} recordings ({share:.0} %) are longer than a signal, which keeps their loudest part"
        ));
    }
    let turned = over.iter().filter(|over| **over).count();
    if turned > 0 {
        notes.push(format!("{turned} recordings are turned over, so that pulses point down (--polarity)"));
    }
    let clipped = cuts.iter().filter(|cut| cut.clipped).count();
    if clipped > 0 {
        warnings.push(format!("{clipped} recordings are clipped: they have several samples in a row at full scale"));
    }
    let shifted = cuts.iter().filter(|cut| cut.shift.abs() > SHIFTED).count();
    if shifted > 0 {
        let most = cuts.iter().map(|cut| cut.shift.abs()).fold(0.0, f32::max);
        let what = format!("{shifted} recordings are shifted by up to {:.0} % of full scale", 100.0 * most);
        match options.high_pass {
            Some(super::Switch::None) => warnings.push(format!("{what}, which --high-pass would take out")),
            _ => notes.push(format!("{what}, which --high-pass takes out")),
        }
    }
    let peaks = peaks.into_inner();
    if peaks > 0 {
        notes.push(format!("{peaks} signals have peaks that are clipped at full scale; a lower --level leaves them"));
    }
    let power = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / values.len().max(1) as f64;
    // Two decimals, so that the same data with a recording more have the same.
    let scale = (100.0 / power.sqrt().max(1e-4)).round() / 100.0;
    Ok(Signals { values, sound: Sound { rate, scale }, notes, warnings })
}

/// Which recordings are turned over.
fn turned(cuts: &[Cut], labels: Option<&Labels>, options: &SoundOptions) -> Result<Vec<bool>> {
    let axis_called = |name: &str| labels.and_then(|labels| labels.axes.iter().position(|axis| axis.name == name));
    let axis = match options.polarity.as_deref() {
        Some("none") => None,
        Some("each") => return Ok(cuts.iter().map(|cut| cut.trimmed.skew > 0.0).collect()),
        None => axis_called(SPEAKER),
        Some(name) => Some(axis_called(name).ok_or_else(|| {
            let there: Vec<&str> = labels.iter().flat_map(|l| &l.axes).map(|axis| &axis.name[..]).collect();
            let there = if there.is_empty() { "no axes".into() } else { format!("the axes {}", there.join(", ")) };
            Error::Usage(format!("--polarity {name}: the data have {there}; give one, each or none"))
        })?),
    };
    let (Some(axis), Some(labels)) = (axis, labels) else { return Ok(vec![false; cuts.len()]) };
    let mut sums = vec![0.0; labels.axes[axis].classes.len()];
    let class = |i: usize| usize::from(labels.of(i)[axis]);
    cuts.iter().enumerate().for_each(|(i, cut)| sums[class(i)] += cut.trimmed.skew);
    Ok((0..cuts.len()).map(|i| sums[class(i)] > 0.0).collect())
}
