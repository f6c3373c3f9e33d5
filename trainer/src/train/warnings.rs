//! What looks wrong in a training, in words.
use super::trainer::Trainer;

/// Steps over which losses are averaged before they are compared.
const WINDOW: usize = 500;
/// By what share a loss may rise above the lowest, and that of held-out images above that of training images.
const RISE: f32 = 0.5;
/// Standard deviation of samples, over pixels and images, below which they show nothing.
const GRAY: f64 = 0.05;
/// Distance of the averaged weights from the current ones, as a share of their length.
const FAR: f64 = 0.5;

/// What is doubtful about a training, by its losses and weights.
pub fn of_training(trainer: &Trainer) -> Vec<String> {
    let mut words = vec![];
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len().max(1) as f32;
    let means: Vec<f32> = trainer.losses().rchunks(WINDOW).filter(|part| part.len() == WINDOW).map(mean).collect();
    if let Some((last, earlier)) = means.split_first() {
        let least = earlier.iter().copied().fold(f32::INFINITY, f32::min);
        if has_risen(least, *last) {
            words.push(format!("the loss has risen from {least:.4} to {last:.4}; try a smaller --lr"));
        }
    }
    if let Some(last) = trainer.validation().last() {
        if has_risen(last.training, last.validation) {
            words.push(format!(
                "the loss is {:.4} on training images and {:.4} on held-out ones: they are being memorised; more images \
                 or --augment help",
                last.training, last.validation
            ));
        }
    }
    let far = trainer.distance_of_average();
    if means.len() > 1 && far > FAR {
        words.push(format!("the averaged weights are {:.0} % from the current ones; try a smaller --ema", 100.0 * far));
    }
    words
}

/// Whether a loss has risen by more than [`RISE`] of its size. The bound of values has losses below zero.
fn has_risen(from: f32, to: f32) -> bool {
    to - from > RISE * from.abs()
}

/// What is doubtful about samples.
pub fn of_samples(samples: &[f32]) -> Option<String> {
    let count = samples.len().max(1) as f64;
    let mean = samples.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let variance = samples.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
    let what = "the samples are of one tone all over; train longer, or try a smaller --lr";
    (variance.sqrt() < GRAY).then(|| what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_rise_above_zero_and_below() {
        for (from, to) in [(0.1, 0.16), (-0.4, -0.1), (-0.1, 0.2)] {
            assert!(has_risen(from, to), "{from} to {to}");
        }
        for (from, to) in [(0.1, 0.14), (0.1, 0.05), (-0.3, -0.36), (-0.4, -0.3), (0.0, 0.0)] {
            assert!(!has_risen(from, to), "{from} to {to}");
        }
    }

    #[test]
    fn samples_of_one_tone_are_named() {
        assert!(of_samples(&[0.5; 40]).unwrap().contains("one tone"));
        assert_eq!(of_samples(&[0.5, -0.5].repeat(20)), None);
    }
}
