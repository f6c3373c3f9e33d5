//! The log-mel spectrogram of a signal: what networks that hear see, as a picture of frames by bands.
use crate::autograd::conv::{fixed_conv, Conv};
use crate::autograd::spectrum::{level, power, powers, Level};
use crate::autograd::{Act, Tape};
use crate::data::Sound;
use crate::graph::{ConvGeometry, Shape};
use std::f64::consts::{LN_10, TAU};
use std::sync::Arc;

/// Bands, evenly on the mel scale up to half the rate.
pub const BANDS: usize = 32;
/// Seconds of a window, before its samples are made a power of two; windows follow each other in quarters of it.
const WINDOW: f64 = 0.032;
/// Power, beside that of data of variance 1 spread over all frequencies, that is added before the logarithm: −30 dB.
const FLOOR: f64 = 1e-3;
/// Decibels from the floor to white; louder bands are brighter than that.
pub const RANGE: f64 = 50.0;
/// Signals computed together.
const TOGETHER: usize = 64;

/// Log-mel spectrograms of signals of one length and rate.
///
/// The picture of a signal has a row a frame and a column a band, −1 at −30 dB or less and 1 at +20 dB: a band of white
/// noise that is as loud as the data lies at 0 dB. All of it is convolutions and functions of single values, so that
/// gradients flow through it.
#[derive(Clone, Debug)]
pub struct LogMel {
    /// From samples to the real, then the imaginary parts of every frequency above 0, a pixel a frame.
    pub(super) transform: Conv,
    pub(super) waves: Arc<[f32]>,
    /// The window, and the factor on all waves.
    pub(super) window: Arc<[f32]>,
    pub(super) scale: f64,
    /// From their powers to bands.
    mel: Conv,
    pub(super) triangles: Arc<[f32]>,
    pub(super) level: Level,
}

impl LogMel {
    /// Those of signals of the shape 1×`length`×1.
    pub fn new(length: usize, sound: Sound) -> Self {
        let mut window = 1 << (f64::from(sound.rate) * WINDOW).log2().round().clamp(4.0, 12.0) as u32;
        while window / 4 > length && window > 16 {
            window /= 2;
        }
        let (hop, half) = ((window / 4).min(length.max(1)), window / 2);
        let pad = (window - hop) / 2;
        let geometry =
            ConvGeometry { kernel: [1, window], stride: [1, hop], pad: [0, pad], dilation: [1; 2], depthwise: false };
        let frames = (length + 2 * pad - window) / hop + 1;
        let signal = Shape::new(1, length, 1);
        let transform = Conv { geometry, input: signal, output: Shape::new(1, frames, 2 * half) };
        let hann = |i: usize| 0.5 - 0.5 * libm::cos(TAU * (i as f64 + 0.5) / window as f64);
        let scale = sound.scale / (0..window).map(|i| hann(i).powi(2)).sum::<f64>().sqrt();
        let wave = |frequency: usize, quarter: f64| {
            let phase = move |i: usize| TAU * (frequency * i % window) as f64 / window as f64 - quarter;
            (0..window).map(move |i| (scale * hann(i) * libm::cos(phase(i))) as f32)
        };
        let real = (1..=half).flat_map(|k| wave(k, 0.0));
        let imaginary = (1..=half).flat_map(|k| wave(k, TAU / 4.0));
        let mel = Conv {
            geometry: ConvGeometry::square(1, 1),
            input: Shape::new(1, frames, half),
            output: Shape::new(1, frames, BANDS),
        };
        let slope = (10.0 / LN_10 * 2.0 / RANGE) as f32;
        Self {
            transform,
            waves: real.chain(imaginary).collect(),
            window: (0..window).map(|i| hann(i) as f32).collect(),
            scale,
            mel,
            triangles: triangles(half, f64::from(sound.rate)).into(),
            level: Level { floor: FLOOR as f32, low: -1.0, slope },
        }
    }

    /// Shape of a picture: frames, bands, 1.
    pub fn shape(&self) -> Shape {
        Shape::new(self.transform.output.width, BANDS, 1)
    }

    /// The pictures of `signals`, one after the other.
    pub fn of(&self, signals: &[f32]) -> Vec<f32> {
        let parts = signals.chunks(TOGETHER * self.transform.input.len());
        let pictures = parts.flat_map(|signals| {
            let spectrum = self.transform.forward(signals, &self.waves, None);
            let powers = powers(&spectrum, self.transform.output.channels);
            let bands = self.mel.forward(&powers, &self.triangles, None);
            bands.iter().map(|power| self.level.of(*power)).collect::<Vec<f32>>()
        });
        pictures.collect()
    }

    /// Records the pictures of a batch of signals.
    pub fn record(&self, tape: &mut Tape, signals: &Act) -> Act {
        let spectrum = fixed_conv(tape, signals, self.transform, &self.waves);
        let powers = power(tape, &spectrum);
        let bands = fixed_conv(tape, &powers, self.mel, &self.triangles);
        level(tape, &bands, self.level).shaped(self.shape())
    }
}

/// `[BANDS][frequencies]`: the share of every frequency k·rate/(2·frequencies), k from 1, in every band. Bands are
/// triangles that overlap by halves, evenly on the mel scale m = 2595·log₁₀(1 + f/700); the shares of one are 1 together.
fn triangles(frequencies: usize, rate: f64) -> Vec<f32> {
    let mel = |hertz: f64| 2595.0 * libm::log10(1.0 + hertz / 700.0);
    let width = mel(rate / 2.0) / (BANDS + 1) as f64;
    let hertz = |k: usize| k as f64 * rate / (2 * frequencies) as f64;
    let band = |band: usize| {
        let centre = (band + 1) as f64 * width;
        let height = |k: usize| (1.0 - (mel(hertz(k)) - centre).abs() / width).max(0.0);
        let mut heights: Vec<f64> = (1..=frequencies).map(height).collect();
        if heights.iter().all(|height| *height == 0.0) {
            // Narrower than the distance of two frequencies: the nearest.
            let distance = |k: &usize| (mel(hertz(*k)) - centre).abs();
            let nearest = (1..=frequencies).min_by(|a, b| distance(a).total_cmp(&distance(b)));
            heights[nearest.unwrap_or(1) - 1] = 1.0;
        }
        let sum: f64 = heights.iter().sum();
        heights.into_iter().map(move |height| (height / sum) as f32)
    };
    (0..BANDS).flat_map(band).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autograd::loss::weighted_mse;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const SOUND: Sound = Sound { rate: 8000, scale: 4.0 };

    /// Decibels of a picture's value.
    fn decibels(value: f32) -> f64 {
        (f64::from(value) + 1.0) * RANGE / 2.0 - 30.0
    }

    #[test]
    fn white_noise_as_loud_as_the_data_is_0_db_and_silence_the_floor() {
        let mel = LogMel::new(4096, SOUND);
        assert_eq!(mel.shape(), Shape::new(64, BANDS, 1));
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let noise: Vec<f32> = (0..200 * 4096).map(|_| rng.sample::<f32, _>(rand_distr::StandardNormal) / 4.0).collect();
        let pictures = mel.of(&noise);
        let mean_power = |band: usize| {
            // Frames at the ends reach beyond the signal.
            let frames = pictures.chunks_exact(BANDS).enumerate().filter(|(i, _)| (2..62).contains(&(i % 64)));
            let powers: Vec<f64> = frames.map(|(_, row)| 10f64.powf(decibels(row[band]) / 10.0)).collect();
            powers.iter().sum::<f64>() / powers.len() as f64
        };
        for band in 0..BANDS {
            assert!((mean_power(band) - 1.0).abs() < 0.06, "band {band}: {}", mean_power(band));
        }
        assert!(mel.of(&[0.0; 4096]).iter().all(|value| *value == -1.0));
    }

    #[test]
    fn a_tone_lies_in_its_band() {
        let mel = LogMel::new(4096, SOUND);
        let tone: Vec<f32> = (0..4096).map(|i| (TAU * 1000.0 * f64::from(i) / 8000.0).sin() as f32 / 4.0).collect();
        let row = &mel.of(&tone)[32 * BANDS..][..BANDS];
        let loudest = (0..BANDS).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap();
        // 1,000 Hz is 1,000 of 2,146 mel, of which a band has 65.
        assert_eq!(loudest, 14);
        assert!(decibels(row[loudest]) > 10.0 && decibels(row[25]) < -25.0, "{row:?}");
    }

    #[test]
    fn signals_of_every_length_and_rate_have_pictures() {
        for (length, rate) in [(16, 8000), (63, 8000), (100, 1000), (5000, 8000), (4096, 44_100), (9000, 48_000)] {
            let mel = LogMel::new(length, Sound { rate, scale: 1.0 });
            let signal: Vec<f32> = (0..2 * length).map(|i| (i as f32 * 0.9).sin()).collect();
            let pictures = mel.of(&signal);
            assert_eq!(pictures.len(), 2 * mel.shape().len(), "{length} {rate}");
            assert!(pictures.iter().all(|v| v.is_finite()) && pictures.iter().any(|v| *v > -1.0));
            let mut tape = Tape::default();
            let held = tape.hold(signal.into(), 2, Shape::new(1, length, 1));
            let recorded = mel.record(&mut tape, &held);
            assert_eq!(recorded.shape(), mel.shape());
            assert!(recorded.values().iter().zip(&pictures).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }

    /// Against differences of the loss over a few samples.
    #[test]
    fn gradients_reach_the_samples() {
        let mel = LogMel::new(256, SOUND);
        let signal: Vec<f32> = (0..256).map(|i| 0.3 * (i as f32 * 0.7).sin() + 0.1 * (i as f32 * 1.9).cos()).collect();
        let target = vec![0.2; mel.shape().len()];
        let loss = |signal: &[f32]| {
            let mut tape = Tape::default();
            let held = tape.hold(signal.to_vec().into(), 1, Shape::new(1, 256, 1));
            let picture = mel.record(&mut tape, &held);
            (weighted_mse(&mut tape, &picture, &target, &[1.0]), tape, held)
        };
        let (value, tape, held) = loss(&signal);
        let mut grads = value.backward(tape).unwrap();
        let found = held.take_grad(&mut grads).unwrap();
        for i in [3, 90, 128, 255] {
            let at = |step: f32| {
                let mut moved = signal.clone();
                moved[i] += step;
                loss(&moved).0.value
            };
            let expected = (at(1e-2) - at(-1e-2)) / 2e-2;
            assert!(
                (f64::from(found[i]) - expected).abs() < 0.02 * expected.abs() + 1e-4,
                "{i}: {} {expected}",
                found[i]
            );
        }
    }
}
