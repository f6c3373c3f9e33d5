//! One recording from its file: WAV of 8, 16, 24 or 32 bits or floats, of any number of channels.
use hound::{SampleFormat, WavReader, WavSpec};
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

/// Samples a second that recordings may have.
const RATES: std::ops::RangeInclusive<u32> = 4000..=192_000;
/// Most samples of one channel: an hour at 48 kHz.
const MOST_FRAMES: u32 = 48_000 * 3600;
/// Most channels.
const MOST_CHANNELS: u16 = 8;
/// Samples at full scale, one after the other, by which clipping is known.
const CLIPPED_RUN: usize = 4;

/// What the header of a recording says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Samples a second.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// Samples of a channel.
    pub frames: u32,
}

/// The samples of a recording.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The mean of the channels; full scale is ±1.
    pub samples: Vec<f32>,
    /// Samples a second.
    pub rate: u32,
    /// Whether several samples in a row are at full scale.
    pub clipped: bool,
}

/// Whether a name says that a file is a WAV.
pub fn is_name(path: &Path) -> bool {
    path.extension().is_some_and(|e| ["wav", "wave"].iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Whether a name says that a file is sound of a format that is not read.
pub fn is_other_name(path: &Path) -> bool {
    let other = ["mp3", "flac", "ogg", "opus", "m4a", "aac", "aif", "aiff", "wma", "au"];
    path.extension().is_some_and(|e| other.iter().any(|known| e.eq_ignore_ascii_case(known)))
}

/// Reads the header of a recording and checks it against the file.
///
/// # Errors
/// What is wrong, in words that go on after the file's name.
pub fn header(path: &Path) -> Result<Header, String> {
    let reader = open(path)?;
    let spec = reader.spec();
    Ok(Header { rate: spec.sample_rate, channels: spec.channels, frames: reader.duration() })
}

/// Reads a recording.
///
/// # Errors
/// As [`header`], and samples that are no numbers or all equal.
pub fn read(path: &Path) -> Result<Recording, String> {
    let mut reader = open(path)?;
    let spec = reader.spec();
    let broken = |e: hound::Error| format!("is broken: {e}");
    let full = 2f32.powi(i32::from(spec.bits_per_sample) - 1);
    let values: Vec<f32> = match spec.sample_format {
        SampleFormat::Float => reader.samples::<f32>().collect::<Result<_, _>>().map_err(broken)?,
        SampleFormat::Int => {
            let values: Result<Vec<i32>, _> = reader.samples().collect();
            values.map_err(broken)?.into_iter().map(|value| value as f32 / full).collect()
        }
    };
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        return Err(format!("sample {} is not a number", at / usize::from(spec.channels)));
    }
    if values.iter().all(|value| *value == values[0]) {
        return Err("is silent: all its samples are equal".into());
    }
    let largest = if spec.sample_format == SampleFormat::Int { (full - 1.0) / full } else { 1.0 };
    let channels = usize::from(spec.channels);
    let clipped = (0..channels).any(|channel| {
        let mut run = 0;
        values.iter().skip(channel).step_by(channels).any(|value| {
            run = if value.abs() >= largest { run + 1 } else { 0 };
            run >= CLIPPED_RUN
        })
    });
    let samples = values.chunks_exact(channels).map(|frame| frame.iter().sum::<f32>() / channels as f32).collect();
    Ok(Recording { samples, rate: spec.sample_rate, clipped })
}

fn open(path: &Path) -> Result<WavReader<BufReader<File>>, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let file = File::open(path).map_err(unreadable)?;
    let len = file.metadata().map_err(unreadable)?.len();
    let mut start = [0; 12];
    let begun = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    if begun.is_err() || start[..4] != *b"RIFF" || start[8..] != *b"WAVE" {
        return Err(match (is_other_name(path), start[..4] == *b"RF64") {
            (true, _) => "is sound of another format; convert it to WAV".into(),
            (_, true) => "is an RF64 file of more than 4 GB; cut it into WAVs".into(),
            _ => "is no WAV file".into(),
        });
    }
    let reader = WavReader::new(BufReader::new(file)).map_err(|e| match e {
        hound::Error::IoError(_) => "is cut off before its samples".into(),
        hound::Error::Unsupported => "holds compressed sound; convert it to WAV of 16 bits".into(),
        e => format!("is broken: {e}"),
    })?;
    let WavSpec { channels, sample_rate, bits_per_sample, .. } = reader.spec();
    let promised = u64::from(reader.len()) * u64::from(bits_per_sample / 8);
    let riff = u32::from_le_bytes([start[4], start[5], start[6], start[7]]);
    match () {
        () if reader.len() == 0 || riff == 0 || riff == u32::MAX => {
            // What writes to a pipe does not know the length.
            Err(match len > 64 {
                true => "does not say how many samples it has; convert it again, into a file".into(),
                false => "holds no samples".into(),
            })
        }
        () if promised + 44 > len => {
            Err(format!("is cut off: its header promises {promised} bytes of samples, the file has {len} bytes"))
        }
        () if u64::from(riff) + 9 < len => {
            Err(format!("goes on after its end: its header promises {} bytes, the file has {len}", u64::from(riff) + 8))
        }
        () if channels > MOST_CHANNELS => Err(format!("has {channels} channels; give 1 to {MOST_CHANNELS}")),
        () if !RATES.contains(&sample_rate) => {
            Err(format!("has {sample_rate} samples a second; give {} to {}", RATES.start(), RATES.end()))
        }
        () if reader.duration() > MOST_FRAMES => Err("is longer than an hour; cut it".into()),
        () => Ok(reader),
    }
}

/// The bytes of a WAV of 16 bits and one channel; values beyond ±1 are clipped.
///
/// # Errors
/// More samples than a WAV can have.
pub fn bytes(samples: &[f32], rate: u32) -> Result<Vec<u8>, String> {
    let spec = WavSpec { channels: 1, sample_rate: rate, bits_per_sample: 16, sample_format: SampleFormat::Int };
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut write = || {
        let mut writer = hound::WavWriter::new(&mut bytes, spec)?;
        for sample in samples {
            writer.write_sample(brownian::sound::sample(*sample, 1.0))?;
        }
        writer.finalize()
    };
    write().map_err(|e| e.to_string())?;
    Ok(bytes.into_inner())
}
