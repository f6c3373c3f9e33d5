//! Training of the classifier: Adam with weight decay on the cross-entropy of digits that are turned, scaled, shifted,
//! blurred, dimmed and covered with noise a little, with dropout before the hidden dense layers.
use super::classifier::{Architecture, Classifier, CLASSES, IMAGE};
use super::corruption;
use crate::autograd::cross_entropy::softmax_cross_entropy;
use crate::autograd::{Adam, Buffer, Parameters, Tape};
use crate::data::augment::{Motion, Shift};
use crate::data::Dataset;
use crate::{Error, Result};
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use rayon::prelude::*;

/// Images a step.
const BATCH: usize = 64;
/// Highest learning rate; it rises over the first steps and falls to zero as a cosine.
const LEARNING_RATE: f64 = 3e-3;
/// Steps of the rise, or a tenth of all if that is less.
const WARMUP: f64 = 100.0;
/// How the digits are moved.
const MOTION: Motion = Motion { angle: 0.21, scale: 0.12, shift: Shift::Any(2.5), ..Motion::WHOLE };
/// Largest standard deviation of the blur in pixels.
const BLUR: f32 = 1.2;
/// Largest share of the contrast that is taken away.
const DIMMING: f32 = 0.2;
/// Largest standard deviation of the noise: 6 of 255 gray levels.
const NOISE: f32 = 0.05;
/// Rate of the decoupled weight decay.
const DECAY: f64 = 0.2;
/// Share of the inputs of a dense layer that is dropped.
const DROPOUT: f32 = 0.4;
/// Where the random streams of dropout begin; images have those below.
const DROPOUT_STREAMS: u64 = 1 << 63;

/// Trains on `data` for `epochs` passes and returns the bytes of a safetensors file; the result depends on the
/// arguments alone. `on_step` gets the number of the step, the number of steps and the loss.
///
/// # Errors
/// Data that is not labelled 28×28×1 images in ten classes, no epochs, or a loss that is not a number.
pub fn train(data: &Dataset, epochs: usize, seed: u64, mut on_step: impl FnMut(u64, u64, f64)) -> Result<Vec<u8>> {
    let labels = data.single_labels().filter(|_| data.shape == IMAGE && data.classes() == CLASSES);
    let labels = labels.ok_or_else(|| {
        Error::Invalid(format!(
            "the classifier learns images of {IMAGE} in {CLASSES} classes; {} holds images of {} in {}",
            data.source,
            data.shape,
            data.classes()
        ))
    })?;
    if epochs == 0 {
        return Err(Error::Usage("--epochs 0: give at least 1".into()));
    }
    let architecture = Architecture::new();
    let mut params = Parameters::new(architecture.params.init(seed));
    let mut adam = Adam::new([0.9, 0.99]).with_decay(DECAY);
    let steps = (epochs * data.len().div_ceil(BATCH)) as u64;
    let warmup = WARMUP.min(steps as f64 / 10.0);
    let mut step = 0;
    for epoch in 0..epochs {
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(&mut generator(seed, epoch as u64));
        for images in order.chunks(BATCH) {
            let fail = |reason: String| Error::Training { step: step + 1, reason };
            let mut x = Buffer::stale(images.len() * IMAGE.len());
            x.par_chunks_exact_mut(IMAGE.len()).zip(images).for_each(|(out, image)| {
                let mut rng = generator(seed, ((epoch as u64 + 1) << 32) + *image as u64);
                MOTION.draw(&mut rng).apply(IMAGE, &data.image(*image), out);
                let blurred = corruption::blurred(out, rng.random_range(0.0..BLUR));
                let contrast = 1.0 - rng.random_range(0.0..DIMMING);
                let deviation = rng.random_range(0.0..NOISE);
                for (out, value) in out.iter_mut().zip(blurred) {
                    let noise: f32 = rng.sample(StandardNormal);
                    *out = ((value + 1.0) * contrast - 1.0 + deviation * noise).clamp(-1.0, 1.0);
                }
            });
            let labels: Vec<u8> = images.iter().map(|i| labels[*i]).collect();
            let mut tape = Tape::default();
            let mut dropout = generator(seed, DROPOUT_STREAMS + step);
            let mut kept = || if dropout.random::<f32>() < DROPOUT { 0.0 } else { 1.0 / (1.0 - DROPOUT) };
            let mask = |len: usize| (0..len).map(|_| kept()).collect();
            let logits = architecture.record(&mut tape, &params, x, mask);
            let loss = softmax_cross_entropy(&mut tape, &logits, &[CLASSES], &labels);
            let value = loss.value;
            if !value.is_finite() {
                return Err(fail("the loss is not a number".into()));
            }
            let mut grads = loss.backward(tape).map_err(|e| fail(e.to_string()))?;
            let progress = step as f64 / steps as f64;
            let rate = LEARNING_RATE
                * ((step + 1) as f64 / warmup).min(1.0)
                * 0.5
                * (1.0 + (std::f64::consts::PI * progress).cos());
            adam.update(&mut params, &mut grads, step + 1, rate).map_err(|e| fail(e.to_string()))?;
            step += 1;
            on_step(step, steps, value);
        }
    }
    Classifier::encode(params.values())
}

fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    #[test]
    fn learns_and_repeats() {
        let mut data = digits::train().unwrap();
        data.images.truncate(1280 * IMAGE.len());
        data.labels.as_mut().unwrap().values.truncate(1280);
        let run = || {
            let mut losses = vec![];
            (train(&data, 3, 1, |_, _, loss| losses.push(loss)).unwrap(), losses)
        };
        let (bytes, losses) = run();
        assert_eq!(losses.len(), 60);
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        assert!(mean(&losses[50..]) < 0.7 * mean(&losses[..5]), "{losses:?}");
        assert!(run().0 == bytes, "the same arguments give the same weights");
        data.labels = None;
        assert!(train(&data, 2, 1, |_, _, _| ()).unwrap_err().to_string().contains("classes"));
    }
}
