//! What signals have in common at each place of a short period: tones that every draw has at the same phase.
//!
//! A spectrogram tells a steady tone from hiss only where its bands are narrower than the tone is loud. A network over
//! patches makes such tones easily: a bias of its last layer is one. Averaged over many periods, hiss and speech
//! vanish, and the tone stays.
use crate::data::Dataset;

/// Samples of a period: tones at multiples of the rate over this many, which those of patches of 16 and of 32 are.
const PERIOD: usize = 32;
/// Parts of a signal, each for itself: the first and the last are mostly quiet, where a tone is heard best.
const PARTS: usize = 5;
/// Means that vary less than this, of full scale 1, count as if they varied so much.
const SMALLEST_DEVIATION: f64 = 1e-4;

/// Rows of weights over the samples of a signal, one after the other: the means over the periods of each part, divided by
/// their deviation in the data. Nothing for signals shorter than two periods, and for data that are not signals.
pub fn rows(data: &Dataset) -> Vec<f32> {
    let length = data.shape.width;
    if data.sound.is_none() || data.shape.height != 1 || data.shape.channels != 1 || length < 2 * PERIOD {
        return vec![];
    }
    let parts = (length / (2 * PERIOD)).min(PARTS);
    let mut rows = vec![0.0f32; parts * PERIOD * length];
    let places = |row: usize| {
        let (part, phase) = (row / PERIOD, row % PERIOD);
        (0..length).filter(move |i| i % PERIOD == phase && i * parts / length == part).collect::<Vec<usize>>()
    };
    let places: Vec<Vec<usize>> = (0..parts * PERIOD).map(places).collect();
    // Row after row, of each image.
    let mut means = Vec::with_capacity(data.len() * places.len());
    for image in 0..data.len() {
        let signal = data.image(image);
        let mean =
            |places: &Vec<usize>| places.iter().map(|i| f64::from(signal[*i])).sum::<f64>() / places.len() as f64;
        means.extend(places.iter().map(mean));
    }
    for ((row, weights), places) in rows.chunks_exact_mut(length).enumerate().zip(&places) {
        places.iter().for_each(|i| weights[*i] = 1.0 / places.len() as f32);
        let count = data.len() as f64;
        let of_row = || means.iter().skip(row).step_by(parts * PERIOD);
        let mean = of_row().sum::<f64>() / count;
        let variance = of_row().map(|value| (value - mean).powi(2)).sum::<f64>() / count;
        let scale = 1.0 / variance.sqrt().max(SMALLEST_DEVIATION);
        weights.iter_mut().for_each(|weight| *weight *= scale as f32);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Sound;
    use crate::graph::Shape;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const LENGTH: usize = 1000;

    fn hiss(images: usize) -> Dataset {
        let mut rng = ChaCha8Rng::seed_from_u64(4);
        let values: Vec<f32> = (0..images * LENGTH).map(|_| 0.1 * rng.random_range(-1.0f32..1.0)).collect();
        let shape = Shape::new(1, LENGTH, 1);
        Dataset {
            source: "hiss".into(),
            shape,
            images: values.into(),
            labels: None,
            sound: Some(Sound { rate: 8000, scale: 1.0 }),
        }
    }

    /// A tone 26 dB below hiss is 0.2 % of its power and 1 % of what is seen; one of no whole period is not seen.
    #[test]
    fn a_faint_tone_stands_out() {
        let data = hiss(400);
        let rows = rows(&data);
        assert_eq!(rows.len(), PARTS * PERIOD * LENGTH);
        let seen = |period: f32| -> f32 {
            let tone = |i: usize| 0.004 * (std::f32::consts::TAU * i as f32 / period).sin();
            let seen =
                rows.chunks_exact(LENGTH).map(|row| row.iter().enumerate().map(|(i, w)| w * tone(i)).sum::<f32>());
            seen.map(|value| value.powi(2)).sum::<f32>() / (PARTS * PERIOD) as f32
        };
        assert!(seen(4.0) > 0.01 && seen(16.0) > 0.01, "{} {}", seen(4.0), seen(16.0));
        assert!(seen(4.7) < seen(4.0) / 20.0, "{}", seen(4.7));
    }

    /// Each mean of the data varies by 1.
    #[test]
    fn means_of_the_data_vary_alike() {
        let data = hiss(300);
        let rows = rows(&data);
        for row in rows.chunks_exact(LENGTH).step_by(7) {
            let means: Vec<f32> = (0..300).map(|i| data.image(i).iter().zip(row).map(|(x, w)| x * w).sum()).collect();
            let mean = means.iter().sum::<f32>() / 300.0;
            let variance = means.iter().map(|m| (m - mean).powi(2)).sum::<f32>() / 300.0;
            assert!((variance - 1.0).abs() < 1e-3, "{variance}");
        }
    }

    #[test]
    fn pictures_and_short_signals_have_none() {
        let data = hiss(3);
        assert!(rows(&Dataset { sound: None, ..hiss(3) }).is_empty());
        let values = data.images.to_vec()[..3 * 63].to_vec();
        assert!(rows(&Dataset { shape: Shape::new(1, 63, 1), images: values.into(), ..data }).is_empty());
    }
}
