//! The algorithm of Griffin and Lim (1984): from a log-mel spectrogram a signal without any network, to compare one with.
use super::log_mel::{LogMel, BANDS};
use crate::autograd::conv::Conv;
use crate::graph::{ConvGeometry, Shape};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Rounds of the search for powers that bands are sums of.
const POWER_ROUNDS: usize = 100;
/// Less than any power or magnitude that matters.
const TINY: f32 = 1e-9;

impl LogMel {
    /// A signal for each of `pictures`, in [-1, 1]: powers of frequencies that the bands are sums of, none below 0, and from
    /// random phases on `rounds` times the phases of the signal that fits best.
    pub fn griffin_lim(&self, pictures: &[f32], rounds: usize) -> Vec<f32> {
        let back = self.back();
        let signal = |(i, picture): (usize, &[f32])| self.signal(&back, picture, rounds, i as u64);
        pictures.par_chunks_exact(self.shape().len()).enumerate().flat_map_iter(signal).collect()
    }

    fn signal(&self, back: &(Conv, Vec<f32>), picture: &[f32], rounds: usize, seed: u64) -> Vec<f32> {
        let half = self.transform.output.channels / 2;
        let magnitudes: Vec<f32> = picture.chunks_exact(BANDS).flat_map(|row| self.magnitudes(row)).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut spectrum: Vec<f32> =
            (0..2 * magnitudes.len()).map(|_| rng.sample::<f32, _>(rand_distr::StandardNormal)).collect();
        let mut signal = vec![];
        for _ in 0..=rounds {
            // The phases that there are, the magnitudes that there should be.
            for (frame, wanted) in spectrum.chunks_exact_mut(2 * half).zip(magnitudes.chunks_exact(half)) {
                let (real, imaginary) = frame.split_at_mut(half);
                for ((re, im), wanted) in real.iter_mut().zip(imaginary).zip(wanted) {
                    let factor = wanted / re.hypot(*im).max(TINY);
                    (*re, *im) = (*re * factor, *im * factor);
                }
            }
            signal = self.added(&back.0.forward(&spectrum, &back.1, None));
            spectrum = self.transform.forward(&signal, &self.waves, None).into_vec();
        }
        signal.iter_mut().for_each(|value| *value = value.clamp(-1.0, 1.0));
        signal
    }

    /// Magnitudes of a frame's frequencies: roots of powers S ≥ 0 whose sums T·S are nearest to the bands' P in
    /// Kullback-Leibler divergence, by S ← S·Tᵀ(P/TS)/Tᵀ1 (Lee and Seung 1999).
    fn magnitudes(&self, row: &[f32]) -> Vec<f32> {
        let half = self.transform.output.channels / 2;
        let wanted: Vec<f32> = row.iter().map(|value| self.level.power(*value).max(TINY)).collect();
        let triangles: Vec<&[f32]> = self.triangles.chunks_exact(half).collect();
        let weighted = |weights: &[f32], k: usize| triangles.iter().zip(weights).map(|(t, w)| t[k] * w).sum::<f32>();
        let share: Vec<f32> = (0..half).map(|k| weighted(&[1.0; BANDS], k).max(TINY)).collect();
        let mut powers: Vec<f32> = (0..half).map(|k| weighted(&wanted, k) / share[k]).collect();
        for _ in 0..POWER_ROUNDS {
            let sum = |triangle: &[f32]| triangle.iter().zip(&powers).map(|(t, p)| t * p).sum::<f32>();
            let ratios: Vec<f32> = triangles.iter().zip(&wanted).map(|(t, p)| p / sum(t).max(TINY)).collect();
            powers.iter_mut().enumerate().for_each(|(k, power)| *power *= weighted(&ratios, k) / share[k]);
        }
        powers.into_iter().map(f32::sqrt).collect()
    }

    /// From spectra to windowed frames: the inverse transform, with the window once more and over the scale.
    fn back(&self) -> (Conv, Vec<f32>) {
        let (frames, channels) = (self.transform.output.width, self.transform.output.channels);
        let (window, half) = (self.window.len(), channels / 2);
        let geometry = ConvGeometry::square(1, 1);
        let conv = Conv { geometry, input: Shape::new(1, frames, channels), output: Shape::new(1, frames, window) };
        let weight = |i: usize, k: usize, quarter: f64| {
            // The highest frequency has no twin.
            let twice = if k < half { 2.0 } else { 1.0 };
            let phase = TAU * (k * i % window) as f64 / window as f64 - quarter;
            (twice / window as f64 / self.scale * f64::from(self.window[i]) * libm::cos(phase)) as f32
        };
        let row =
            |i: usize| [0.0, TAU / 4.0].into_iter().flat_map(move |quarter| (1..=half).map(move |k| (i, k, quarter)));
        (conv, (0..window).flat_map(row).map(|(i, k, quarter)| weight(i, k, quarter)).collect())
    }

    /// The signal of which windowed frames are nearest to these: their sum over that of the squared windows.
    fn added(&self, frames: &[f32]) -> Vec<f32> {
        let (length, window) = (self.transform.input.width, self.window.len());
        let (hop, pad) = (self.transform.geometry.stride[1], self.transform.geometry.pad[1]);
        let (mut sum, mut weight) = (vec![0.0; length + 2 * window], vec![TINY; length + 2 * window]);
        for (m, frame) in frames.chunks_exact(window).enumerate() {
            for (i, (value, w)) in frame.iter().zip(&self.window[..]).enumerate() {
                sum[m * hop + i] += value;
                weight[m * hop + i] += w * w;
            }
        }
        sum[pad..pad + length].iter().zip(&weight[pad..]).map(|(sum, weight)| sum / weight).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Sound;

    /// The spectrogram of what is made of a spectrogram is near it, and rounds bring it nearer.
    #[test]
    fn signals_have_the_spectrogram_that_was_asked_for() {
        let mel = LogMel::new(2048, Sound { rate: 8000, scale: 5.0 });
        let tone = |i: usize| 0.3 * (i as f32 * (0.2 + 0.0002 * i as f32)).sin() * (i as f32 * 0.004).sin();
        let signal: Vec<f32> = (0..2048).map(tone).collect();
        let asked = mel.of(&signal);
        let distance = |rounds| {
            let found = mel.of(&mel.griffin_lim(&asked, rounds));
            found.iter().zip(&asked).map(|(a, b)| (a - b).abs()).sum::<f32>() / asked.len() as f32
        };
        let [none, many] = [0, 60].map(distance);
        assert!(many < 0.6 * none && many < 0.08, "{none} {many}");
        assert!(mel.griffin_lim(&vec![-1.0; asked.len()], 3).iter().all(|v| v.abs() < 1e-2), "silence");
    }
}
