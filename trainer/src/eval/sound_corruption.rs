//! Corruptions of sounds: noise, fewer bits, a late start.
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// µ of the companding law of telephones.
const MU: f32 = 255.0;

/// Adds white noise `decibels` below each signal of `length` samples, clipped to [-1, 1].
pub fn noise(signals: &[f32], length: usize, decibels: f32) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0155);
    let share = 10f32.powf(-decibels / 20.0);
    let noisy = signals.chunks_exact(length).flat_map(|signal| {
        let deviation = share * rms(signal);
        signal
            .iter()
            .map(|v| (v + deviation * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0))
            .collect::<Vec<_>>()
    });
    noisy.collect()
}

/// Root of the mean square.
pub fn rms(signal: &[f32]) -> f32 {
    let square = signal.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / signal.len().max(1) as f64;
    square.sqrt() as f32
}

/// Rounds to `bits` bits on the µ-law, of which full scale is 1.
pub fn mu_law(signals: &[f32], bits: u32) -> Vec<f32> {
    let steps = ((1u32 << bits) - 1) as f32;
    let round = |value: &f32| {
        let companded = value.signum() * (MU * value.abs().min(1.0)).ln_1p() / MU.ln_1p();
        let level = ((companded + 1.0) / 2.0 * steps).round() / steps * 2.0 - 1.0;
        level.signum() * (level.abs() * MU.ln_1p()).exp_m1() / MU
    };
    signals.iter().map(round).collect()
}

/// Lets every signal of `length` samples begin `samples` later, behind silence.
pub fn late(signals: &[f32], length: usize, samples: usize) -> Vec<f32> {
    let samples = samples.min(length);
    let late = |signal: &[f32]| [&vec![0.0; samples][..], &signal[..length - samples]].concat();
    signals.chunks_exact(length).flat_map(late).collect()
}

/// As many signals of nothing but white noise of this deviation.
pub fn nothing_but_noise(signals: &[f32], deviation: f32) -> Vec<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(0x0156);
    signals.iter().map(|_| (deviation * rng.sample::<f32, _>(StandardNormal)).clamp(-1.0, 1.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_lies_below_each_signal() {
        let loud: Vec<f32> = (0..20_000).map(|i| 0.3 * (i as f32 * 0.1).sin()).collect();
        let quiet: Vec<f32> = loud.iter().map(|v| v / 10.0).collect();
        let signals = [loud, quiet].concat();
        let noisy = noise(&signals, 20_000, 20.0);
        for (signal, noisy) in signals.chunks_exact(20_000).zip(noisy.chunks_exact(20_000)) {
            let noise: Vec<f32> = signal.iter().zip(noisy).map(|(a, b)| b - a).collect();
            let decibels = 20.0 * (rms(&noise) / rms(signal)).log10();
            assert!((decibels + 20.0).abs() < 0.2, "{decibels}");
        }
        assert!((rms(&nothing_but_noise(&signals, 0.15)) - 0.15).abs() < 0.003);
    }

    #[test]
    fn few_bits_have_few_levels_that_are_dense_around_zero() {
        let ramp: Vec<f32> = (-1000..=1000).map(|i| i as f32 / 1000.0).collect();
        for bits in [8, 5, 4] {
            let mut levels = mu_law(&ramp, bits);
            assert!(levels.windows(2).all(|pair| pair[0] <= pair[1]));
            assert_eq!((levels[0], levels[2000]), (-1.0, 1.0));
            levels.dedup();
            assert!(levels.len() <= 1 << bits && levels.len() > 1 << (bits - 1), "{bits}: {}", levels.len());
            assert!(levels[1] - levels[0] > 5.0 * (levels[levels.len() / 2] - levels[levels.len() / 2 - 1]));
        }
    }

    #[test]
    fn late_signals_lose_their_ends() {
        assert_eq!(late(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3, 1), [0.0, 1.0, 2.0, 0.0, 4.0, 5.0]);
        assert_eq!(late(&[1.0, 2.0], 2, 9), [0.0; 2]);
    }
}
