//! `--mel`: what a model that follows a local condition is asked to draw.
use crate::data::{one_recording, Sound};
use crate::eval::source::config_of;
use crate::recognition::local_mel::{bytes, LocalMel};
use crate::run::Config;
use crate::{Error, Result};
use brownian::Model;
use npyz::{DType, NpyFile, TypeChar};
use std::path::Path;

/// Values of a mel spectrogram: −1 is silence, and nothing is so loud as the last.
const RANGE: std::ops::RangeInclusive<f32> = -1.01..=4.0;

/// The local conditions in `paths` of signals of `length` samples, one after the other; nothing for a model that follows
/// none.
///
/// # Errors
/// Paths for a model that follows no local condition or none for one that does, files that cannot be read, or spectrograms of
/// another size or in other units.
pub fn read(paths: &[impl AsRef<Path>], model: &Model, file: &Path, length: usize) -> Result<Vec<i8>> {
    let file = file.display();
    let Some([_, frames, bands]) = model.local_shape() else {
        return match paths.is_empty() {
            true => Ok(vec![]),
            false => Err(Error::Usage(format!("--mel: {file} follows no mel spectrogram; leave --mel out"))),
        };
    };
    let frames = frames * length / model.shape()[1].max(1);
    if paths.is_empty() {
        return Err(Error::Usage(format!(
            "{file} draws the sound that a mel spectrogram says: give --mel FILE.wav, or FILE.npy of {frames}x{bands} values"
        )));
    }
    let mut all = vec![];
    for path in paths.iter().map(AsRef::as_ref) {
        let values = match path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("npy")) {
            true => array(path, [frames, bands])?,
            false => recording(path, model, length)?,
        };
        all.extend(bytes(&values));
    }
    Ok(all)
}

/// The spectrogram of a recording, which is prepared as those were that the model learned.
fn recording(path: &Path, model: &Model, length: usize) -> Result<Vec<f32>> {
    let unknown = || {
        let what = "the model does not say how its recordings were prepared; give the spectrogram as a FILE.npy";
        Error::file(path, what)
    };
    let config: Config = config_of(model).ok_or_else(unknown)?;
    config.local_mel()?.ok_or_else(unknown)?;
    let rate = config.sample_rate.ok_or_else(unknown)?;
    let local = LocalMel::new(length, Sound { rate, scale: config.data_scale });
    Ok(local.of(&one_recording(path, rate, length, &config.data_options.sound)?))
}

/// Spectrograms of an array, `[frames][bands]` or several of them.
fn array(path: &Path, [frames, bands]: [usize; 2]) -> Result<Vec<f32>> {
    let unreadable = |e: std::io::Error| Error::file(path, format!("is not a readable .npy array ({e})"));
    let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    let array = NpyFile::new(&bytes[..]).map_err(unreadable)?;
    let sizes: Vec<u64> = array.shape().to_vec();
    if !matches!(sizes[..], [.., f, b] if sizes.len() < 4 && [f, b] == [frames, bands].map(|n| n as u64))
        || sizes[0] == 0
    {
        let sizes: Vec<String> = sizes.iter().map(u64::to_string).collect();
        return Err(Error::file(
            path,
            format!(
                "holds an array of {}; the model follows {frames}x{bands}, frames by bands",
                if sizes.is_empty() { "one value".into() } else { sizes.join("x") }
            ),
        ));
    }
    let kind = match array.dtype() {
        DType::Plain(plain) => (plain.type_char(), plain.size_field()),
        _ => (TypeChar::RawData, 0),
    };
    let values: Vec<f32> = match kind {
        (TypeChar::Float, 4) => array.into_vec().map_err(unreadable)?,
        (TypeChar::Float, 8) => {
            array.into_vec::<f64>().map_err(unreadable)?.into_iter().map(|value| value as f32).collect()
        }
        _ => {
            return Err(Error::file(path, "holds no numbers of 32 or 64 bits with a point; a mel spectrogram has such"))
        }
    };
    match values.iter().find(|value| !RANGE.contains(value)) {
        None => Ok(values),
        Some(value) => Err(Error::file(
            path,
            format!("holds the value {value}; -1 is silence (-30 dB), 1 is loud (20 dB), beside white noise as loud as the data"),
        )),
    }
}
