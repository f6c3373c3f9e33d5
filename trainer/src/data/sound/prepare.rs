//! From recordings to signals of one length: what decides how well a small network learns sound.
use super::filter::{filtered, Pass};
use super::options::{Align, SoundOptions, Switch};
use std::ops::Range;

/// What is lower is no voice.
const HIGH_PASS: f64 = 60.0;
/// Decibels below the loudest frame at which both ends are cut off.
const TRIM: f64 = 35.0;
/// Samples over which the ends rise from silence.
const FADE: f64 = 64.0;
/// Pulses are looked for below this frequency.
const PULSES: f64 = 700.0;
/// Peaks below this, of 1 at full scale, are silence.
const SILENCE: f32 = 2e-4;
/// Signals are numbers of this many steps from 0 to 1, as those of 16 bits.
const STEPS: f32 = 32_767.0;

/// A recording whose ends are cut off.
#[derive(Clone, Debug, PartialEq)]
pub struct Trimmed {
    /// Its samples.
    pub samples: Vec<f32>,
    /// Their third moment over the power 3/2 of the second: below 0 where pulses point down.
    pub skew: f64,
}

/// Samples of a frame of 10 ms.
pub fn frame(rate: u32) -> usize {
    (rate as usize / 100).max(1)
}

/// Takes out low frequencies, and cuts off quiet ends.
///
/// # Errors
/// Silence, or fewer samples than a frame of 10 ms, in words that go on after the name of the recording.
pub fn trimmed(samples: &[f32], rate: u32, options: &SoundOptions) -> Result<Trimmed, String> {
    let frame = frame(rate);
    if samples.len() < frame {
        let few = samples.len();
        return Err(format!("is shorter than a frame of 10 ms: {few} samples of {rate} a second"));
    }
    let samples = match Switch::value(options.high_pass, HIGH_PASS) {
        Some(hertz) => filtered(samples, rate, Pass::High, hertz)?,
        None => samples.to_vec(),
    };
    if samples.iter().all(|sample| sample.abs() < SILENCE) {
        return Err("is silent".into());
    }
    let kept = match Switch::value(options.trim, TRIM) {
        Some(decibels) => loud(&samples, frame, decibels),
        None => 0..samples.len(),
    };
    let samples = samples[kept].to_vec();
    let moment = |power: i32| samples.iter().map(|v| f64::from(*v).powi(power)).sum::<f64>() / samples.len() as f64;
    let skew = moment(3) / moment(2).powf(1.5);
    Ok(Trimmed { samples, skew })
}

/// From the first frame to the last that is no more than `decibels` below the loudest.
fn loud(samples: &[f32], frame: usize, decibels: f64) -> Range<usize> {
    let power = |part: &[f32]| part.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / part.len() as f64;
    let powers: Vec<f64> = samples.chunks(frame).map(power).collect();
    let least = powers.iter().copied().fold(0.0, f64::max) * 10f64.powf(-decibels / 10.0);
    let first = powers.iter().position(|power| *power >= least).unwrap_or(0);
    let last = powers.iter().rposition(|power| *power >= least).unwrap_or(powers.len() - 1);
    first * frame..((last + 1) * frame).min(samples.len())
}

/// Lays a recording into a signal: turned over where `over` says so, aligned, faded in and out, and at its level. Returns
/// how many samples were clipped.
///
/// # Errors
/// Silence in what fits.
pub fn laid(
    recording: &[f32],
    over: bool,
    rate: u32,
    options: &SoundOptions,
    signal: &mut [f32],
) -> Result<usize, String> {
    let sign = if over { -1.0 } else { 1.0 };
    let turned: Vec<f32> = recording.iter().map(|sample| sign * sample).collect();
    let offset = offset(&turned, rate, options.align.unwrap_or_default(), signal.len())?;
    // Sample i of the signal is sample i − offset of the recording.
    let start = offset.max(0);
    let end = (offset + turned.len() as isize).min(signal.len() as isize);
    signal.fill(0.0);
    let (start, end) = (start as usize, end.max(start) as usize);
    let from = (start as isize - offset) as usize;
    signal[start..end].copy_from_slice(&turned[from..from + end - start]);
    if let Some(fade) = Switch::value(options.fade, FADE) {
        faded(&mut signal[start..end], fade);
    }
    if let Some(level) = options.level() {
        let power = signal.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / signal.len() as f64;
        if power == 0.0 {
            return Err("is silent".into());
        }
        let factor = (level / power.sqrt()) as f32;
        signal.iter_mut().for_each(|value| *value *= factor);
    }
    let clipped = signal.iter().filter(|value| value.abs() > 1.0).count();
    // The same on machines whose Fourier transforms round otherwise.
    signal.iter_mut().for_each(|value| *value = (value.clamp(-1.0, 1.0) * STEPS).round() / STEPS);
    Ok(clipped)
}

/// Where in a signal of `length` samples the recording begins.
fn offset(recording: &[f32], rate: u32, align: Align, length: usize) -> Result<isize, String> {
    let (len, middle) = (recording.len() as isize, length as isize / 2);
    let begun = match len > length as isize {
        true => -(loudest(recording, length) as isize),
        false if align == Align::Start => 0,
        false => (middle - centre(recording) as isize).clamp(0, length as isize - len),
    };
    if align != Align::Pulse {
        return Ok(begun);
    }
    let low = filtered(recording, rate, Pass::Low, PULSES.min(0.4 * f64::from(rate)))?;
    let reach = frame(rate) as isize;
    let places = (middle - begun - reach).max(0)..(middle - begun + reach + 1).min(len);
    let strongest = places.min_by(|a, b| low[*a as usize].total_cmp(&low[*b as usize]));
    Ok(strongest.map_or(begun, |pulse| middle - pulse))
}

/// The first of the `length` samples together that have the most energy.
fn loudest(recording: &[f32], length: usize) -> usize {
    let energy = |i: usize| f64::from(recording[i]).powi(2);
    let mut sum: f64 = (0..length).map(energy).sum();
    let mut best = (sum, 0);
    for first in 1..=recording.len() - length {
        sum += energy(first + length - 1) - energy(first - 1);
        if sum > best.0 {
            best = (sum, first);
        }
    }
    best.1
}

/// The middle of the energy.
fn centre(recording: &[f32]) -> usize {
    let energy = |v: &f32| f64::from(*v).powi(2);
    let total: f64 = recording.iter().map(energy).sum();
    let moment: f64 = recording.iter().enumerate().map(|(i, v)| i as f64 * energy(v)).sum();
    (moment / total.max(f64::MIN_POSITIVE)).round() as usize
}

/// Lets both ends rise from silence over `fade` samples, or half of all.
fn faded(samples: &mut [f32], fade: f64) {
    let len = samples.len();
    let fade = (fade as usize).min(len / 2);
    for i in 0..fade {
        let factor = 0.5 - 0.5 * libm::cos(std::f64::consts::PI * (i as f64 + 0.5) / fade as f64);
        samples[i] *= factor as f32;
        samples[len - 1 - i] *= factor as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8000;

    /// Silence, then pulses that point down, 100 a second, then silence; the strongest is the one at `strong`.
    fn pulses(silence: usize, count: usize, strong: usize) -> Vec<f32> {
        let mut samples = vec![0.0; 2 * silence + 80 * count];
        for pulse in 0..count {
            let height = if pulse == strong { 0.6 } else { 0.4 };
            for (i, sample) in samples[silence + 80 * pulse..][..80].iter_mut().enumerate() {
                *sample = -height * (-(i as f32 - 40.0).powi(2) / 40.0).exp() + 0.05;
            }
        }
        samples
    }

    fn signal(recording: &[f32], options: &SoundOptions, length: usize) -> Vec<f32> {
        let mut signal = vec![9.0; length];
        let trimmed = trimmed(recording, RATE, options).unwrap();
        assert!(trimmed.skew < 0.0);
        laid(&trimmed.samples, false, RATE, options, &mut signal).unwrap();
        signal
    }

    #[test]
    fn silence_is_cut_off_and_pulses_come_to_the_middle() {
        let recording = pulses(1600, 16, 8);
        let trimmed = trimmed(&recording, RATE, &SoundOptions::default()).unwrap();
        assert!((1200..1700).contains(&trimmed.samples.len()), "{}", trimmed.samples.len());
        let signal = signal(&recording, &SoundOptions::default(), 2048);
        let lowest = (0..2048).min_by(|a, b| signal[*a].total_cmp(&signal[*b])).unwrap();
        assert!((1022..=1026).contains(&lowest), "{lowest}");
        let power: f32 = signal.iter().map(|v| v * v).sum::<f32>() / 2048.0;
        assert!((power.sqrt() - 0.15).abs() < 0.003, "{power}");
        assert!(signal.iter().all(|v| (v * STEPS - (v * STEPS).round()).abs() < 1e-2), "steps of 16 bits");
    }

    #[test]
    fn each_part_can_be_switched_off() {
        let recording = pulses(200, 8, 4);
        let off = |text: &str| Some(text.parse::<Switch>().unwrap());
        let none = SoundOptions {
            high_pass: off("none"),
            trim: off("none"),
            fade: off("none"),
            align: Some(Align::Start),
            level: off("none"),
            ..SoundOptions::default()
        };
        let whole = signal(&recording, &none, 1100);
        assert!(whole.iter().zip(&recording).all(|(a, b)| (a - b).abs() < 1.0 / 32_000.0));
        assert_eq!(whole[recording.len()..], [0.0; 60]);
        let faded = signal(&recording, &SoundOptions { trim: off("35"), fade: off("40"), ..none.clone() }, 1100);
        assert!(faded[0].abs() < 1e-4 && whole[240].abs() > 0.1);
        let energy = signal(&recording, &SoundOptions { align: Some(Align::Energy), ..none.clone() }, 1100);
        assert!((centre(&energy) as isize - 550).abs() <= 1);
        // Longer ones lose their ends.
        let short = signal(&recording, &none, 320);
        assert!(short.iter().map(|v| v * v).sum::<f32>() > 0.3 * recording.iter().map(|v| v * v).sum::<f32>());
    }

    #[test]
    fn what_is_no_sound_is_refused() {
        let of = |samples: &[f32]| trimmed(samples, RATE, &SoundOptions::default()).unwrap_err();
        assert_eq!(of(&[0.0; 4000]), "is silent");
        assert_eq!(of(&[0.4; 79]), "is shorter than a frame of 10 ms: 79 samples of 8000 a second");
        let loud = [0.9f32, -0.9].repeat(2000);
        let mut signal = vec![0.0; 4000];
        let level = Some(Switch::On(0.99));
        let options = SoundOptions { level, fade: Some(Switch::On(1000.0)), ..SoundOptions::default() };
        assert!(laid(&loud, false, RATE, &options, &mut signal).unwrap() > 1000, "clipped samples are counted");
        assert!(signal.iter().all(|v| v.abs() <= 1.0));
    }
}
