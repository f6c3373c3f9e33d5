//! Signals as pictures, and as sound.
use crate::{Error, Result};
use brownian::sound::{heard, Sound};
use microfft::real::rfft_256;

/// Pixels that a signal is wide.
pub const WIDTH: usize = 128;
/// Pixels that its waveform is high.
const WAVE: usize = 48;
/// Samples that a column of a spectrogram sees at most.
const WINDOW: usize = 256;
/// Frequencies of a spectrogram, from just above zero to half the rate.
const ROWS: usize = WINDOW / 2;
/// Decibels below the loudest place that are black.
const FLOOR: f32 = 60.0;
/// Seconds of silence behind each of several signals in one file.
const PAUSE: f64 = 0.1;

/// Draws a signal, of whose channels the first is shown: its waveform, and below its spectrogram, high frequencies on top.
/// Returns height and width, and gray values in [-1, 1].
pub fn picture(signal: &[f32], channels: usize) -> ([usize; 3], Vec<f32>) {
    let samples: Vec<f32> = signal.iter().step_by(channels.max(1)).copied().collect();
    let (wave, spectrum) = (waveform(&samples), spectrogram(&samples));
    let line = vec![-0.25; WIDTH];
    let pixels = [wave, line, spectrum].concat();
    ([pixels.len() / WIDTH, WIDTH, 1], pixels)
}

/// From the lowest to the highest sample of every column.
fn waveform(samples: &[f32]) -> Vec<f32> {
    let mut pixels = vec![-1.0; WAVE * WIDTH];
    let row = |value: f32| ((1.0 - value.clamp(-1.0, 1.0)) * 0.5 * (WAVE - 1) as f32).round() as usize;
    for column in 0..WIDTH {
        let start = (column * samples.len() / WIDTH).min(samples.len().saturating_sub(1));
        let end = ((column + 1) * samples.len() / WIDTH).clamp(start + 1, samples.len().max(start + 1));
        let part = samples.get(start..end).unwrap_or(&[]);
        let [low, high] = part.iter().fold([1.0f32, -1.0], |[low, high], v| [low.min(*v), high.max(*v)]);
        (row(high)..=row(low)).for_each(|y| pixels[y * WIDTH + column] = 1.0);
    }
    pixels
}

/// Decibels of every frequency around every column.
fn spectrogram(samples: &[f32]) -> Vec<f32> {
    let window = (WINDOW.min(samples.len()).next_power_of_two()).clamp(16, WINDOW);
    let mut powers = vec![0.0f32; ROWS * WIDTH];
    for column in 0..WIDTH {
        let middle = (column * 2 + 1) * samples.len() / (2 * WIDTH);
        let mut input = [0.0; WINDOW];
        for (i, slot) in input[..window].iter_mut().enumerate() {
            let hann = 0.5 - 0.5 * (std::f32::consts::TAU * (i as f32 + 0.5) / window as f32).cos();
            let sample = (middle + i).checked_sub(window / 2).and_then(|at| samples.get(at));
            *slot = hann * sample.unwrap_or(&0.0);
        }
        let output = rfft_256(&mut input);
        // The highest frequency lies in the imaginary part of the lowest, which is not shown.
        let highest = output[0].im;
        let shown =
            output[1..].iter().map(|value| value.re * value.re + value.im * value.im).chain([highest * highest]);
        shown.enumerate().for_each(|(k, power)| powers[(ROWS - 1 - k) * WIDTH + column] = power);
    }
    let most = powers.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let gray = |power: f32| (1.0 + 10.0 * (power / most).max(1e-12).log10() / FLOOR).max(0.0) * 2.0 - 1.0;
    powers.into_iter().map(gray).collect()
}

/// A WAV of several signals with pauses between them, `length` values each, of whose channels the first is heard, each at
/// the sound's level if it has one.
///
/// # Errors
/// More samples than a WAV can hold.
pub fn wav(signals: &[f32], length: usize, channels: usize, sound: Sound) -> Result<Vec<u8>> {
    let pause = if signals.len() > length { (PAUSE * f64::from(sound.rate)) as usize } else { 0 };
    let mut samples = Vec::with_capacity(signals.len());
    for signal in signals.chunks(length.max(1)) {
        let values = || heard(signal.iter().copied(), channels);
        let gain = sound.gain(values());
        samples.extend(values().map(|value| value * gain).chain(std::iter::repeat_n(0.0, pause)));
    }
    crate::data::sound::wav::bytes(&samples, sound.rate)
        .map_err(|e| Error::Invalid(format!("the sound cannot be written: {e}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tone_is_a_line_at_its_frequency() {
        let tone: Vec<f32> =
            (0..4096).map(|i| 0.5 * (std::f32::consts::TAU * 1000.0 * i as f32 / 8000.0).sin()).collect();
        let ([height, width, channels], pixels) = picture(&tone, 1);
        assert_eq!((height, width, channels), (WAVE + 1 + 128, WIDTH, 1));
        assert_eq!(pixels.len(), height * width);
        // 1,000 of 4,000 Hz is bin 32 of 128, counted from below.
        let spectrum = &pixels[(WAVE + 1) * WIDTH..];
        let column: Vec<f32> = (0..128).map(|row| spectrum[row * WIDTH + 64]).collect();
        let brightest = (0..128).max_by(|a, b| column[*a].total_cmp(&column[*b])).unwrap();
        assert_eq!(brightest, 128 - 32);
        assert!(column[brightest] > 0.99 && column[20] < -0.9, "{column:?}");
        // The waveform reaches a half, not the whole.
        let lit = |row: usize| pixels[row * WIDTH..][..WIDTH].iter().filter(|v| **v > 0.0).count();
        assert_eq!([lit(0), lit(WAVE / 2), lit(WAVE - 1)], [0, WIDTH, 0]);
        assert!(lit(12) > 100 && lit(35) > 100);
        for short in [0, 1, 5, 40] {
            let (shape, pixels) = picture(&tone[..short], 1);
            assert_eq!(pixels.len(), shape.iter().product::<usize>(), "{short}");
        }
    }

    #[test]
    fn signals_are_heard_one_after_the_other() {
        let sound = Sound { rate: 8000, level: None };
        let one = wav(&[0.5; 100], 100, 1, sound).unwrap();
        assert_eq!(one.len(), 44 + 200);
        let two = wav(&[0.5; 200], 100, 1, sound).unwrap();
        assert_eq!(two.len(), 44 + 2 * (100 + 800) * 2);
        assert_eq!(wav(&[0.5; 200], 200, 2, sound).unwrap(), one, "the first channel");
    }

    /// The loud one and the quiet one get the same level; the pause between them stays silent.
    #[test]
    fn each_signal_gets_its_level() {
        let sound = Sound { rate: 8000, level: Some(0.25) };
        let bytes = wav(&[[1.0; 100], [0.01; 100]].concat(), 100, 1, sound).unwrap();
        let samples: Vec<i16> = bytes[44..].chunks(2).map(|b| i16::from_le_bytes([b[0], b[1]])).collect();
        let parts = [&samples[..100], &samples[100..900], &samples[900..1000], &samples[1000..]];
        assert_eq!(parts, [&[8192; 100][..], &[0; 800], &[8192; 100], &[0; 800]]);
    }
}
