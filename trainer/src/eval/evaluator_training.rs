//! Training of an evaluator: Adam with weight decay, with dropout before the hidden dense layers, on the cross-entropy
//! of labelled images that are turned, scaled, shifted, blurred, dimmed and covered with noise a little; without labels
//! on that of alterations, of images that are moved a little. Sounds come a little early or late, with noise, and are seen
//! as log-mel spectrograms.
use super::about::About;
use super::corruption::{self, Outside};
use super::evaluator::Evaluator;
use crate::autograd::cross_entropy::softmax_cross_entropy;
use crate::autograd::{Adam, Buffer, Parameters, Tape};
use crate::data::augment::{Kernel, Motion, Shift};
use crate::data::{Dataset, Sound};
use crate::graph::Shape;
use crate::recognition::{side_share, Lesson, View, SIDE};
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
/// How images are moved; shifts are those of an image whose shorter side has [`SIDE`] pixels, and none of lines.
const MOTION: Motion = Motion {
    angle: 0.21,
    scale: 0.12,
    shear: 0.0,
    shift: Shift::Any(2.5),
    kernel: Kernel::Linear,
    contrast: 1.0,
    ..Motion::WHOLE
};
/// Largest standard deviation of the blur in pixels, less in images with a side below [`SIDE`].
const BLUR: f32 = 1.2;
/// Largest share of the contrast that is taken away.
const DIMMING: f32 = 0.2;
/// Largest standard deviation of the noise: 6 of 255 gray levels.
const NOISE: f32 = 0.05;
/// Most seconds that a sound comes early or late.
const EARLY_OR_LATE: f64 = 0.01;
/// Largest standard deviation of the noise in a sound, as a share of the data's.
const HISS: f32 = 0.1;
/// Rate of the decoupled weight decay.
const DECAY: f64 = 0.2;
/// Share of the inputs of a dense layer that is dropped; of small images much less ([`side_share`]), cubed.
const DROPOUT: f32 = 0.4;
/// Where the random streams of dropout begin; images have those below.
const DROPOUT_STREAMS: u64 = 1 << 63;

/// Images that [`usual_epochs`] shows in all.
const USUAL_IMAGES: usize = 250_000;

/// The usual number of passes over `images` images: 25 over 10,000, more over fewer.
pub fn usual_epochs(images: usize) -> usize {
    USUAL_IMAGES.div_ceil(images.max(1))
}

/// Trains an evaluator of `about` on `data`, which are without what is held out, and returns the bytes of its file; the
/// result depends on the arguments alone. `on_step` gets the number of the step, the number of steps and the loss.
///
/// # Errors
/// No epochs, or a loss that is not a number.
pub fn train(data: &Dataset, about: &About, mut on_step: impl FnMut(u64, u64, f64)) -> Result<Vec<u8>> {
    let (epochs, seed, lesson) = (about.epochs, about.seed, Lesson::of(data));
    let view = about.view();
    let shape = view.shape();
    if epochs == 0 {
        return Err(Error::Usage("--epochs 0: give at least 1".into()));
    }
    let (architecture, heads) = about.architecture()?;
    let mut params = Parameters::new(architecture.params.init(seed));
    let mut adam = Adam::new([0.9, 0.99]).with_decay(DECAY);
    let steps = (epochs * data.len().div_ceil(BATCH)) as u64;
    let warmup = WARMUP.min(steps as f64 / 10.0);
    let dropped = DROPOUT * side_share(shape).powi(3);
    let mut step = 0;
    for epoch in 0..epochs {
        let mut order: Vec<usize> = (0..data.len()).collect();
        order.shuffle(&mut generator(seed, epoch as u64));
        for images in order.chunks(BATCH) {
            let fail = |reason: String| Error::Training { step: step + 1, reason };
            let mut x = Buffer::stale(images.len() * shape.len());
            let prepare = |(out, image): (&mut [f32], &usize)| {
                let mut rng = generator(seed, ((epoch as u64 + 1) << 32) + *image as u64);
                let values = data.image(*image);
                match (&view, data.sound) {
                    (View::Sounds(_), Some(sound)) => {
                        out.copy_from_slice(&view.of(&heard(lesson, sound, &values, &mut rng)))
                    }
                    _ => moved(lesson, shape, &values, &mut rng, out),
                }
                let mut classes = vec![];
                lesson.take(*image, shape, out, &mut rng, &mut classes);
                classes
            };
            let classes: Vec<Vec<u8>> = x.par_chunks_exact_mut(shape.len()).zip(images).map(prepare).collect();
            let mut tape = Tape::default();
            let mut dropout = generator(seed, DROPOUT_STREAMS + step);
            let mut kept = || if dropout.random::<f32>() < dropped { 0.0 } else { 1.0 / (1.0 - dropped) };
            let mask = |len: usize| (0..len).map(|_| kept()).collect();
            let logits = architecture.record(&mut tape, &params, x, mask);
            let loss = softmax_cross_entropy(&mut tape, &logits, &heads, &classes.concat());
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
    Evaluator::encode(about, params.values())
}

/// A signal as a step hears it: up to 10 ms early or late, and where labels are learned with noise at 20 dB below the data
/// or less.
fn heard(lesson: Lesson, sound: Sound, signal: &[f32], rng: &mut ChaCha8Rng) -> Vec<f32> {
    let reach = (f64::from(sound.rate) * EARLY_OR_LATE) as i64;
    let shift = rng.random_range(-reach..=reach) as isize;
    let most = if lesson.labels().is_some() { HISS / sound.scale as f32 } else { 0.0 };
    let deviation = rng.random_range(0.0..=most);
    let at = |i: usize| i.checked_add_signed(-shift).and_then(|at| signal.get(at)).copied().unwrap_or(0.0);
    (0..signal.len()).map(|i| at(i) + deviation * rng.sample::<f32, _>(StandardNormal)).collect()
}

/// Puts the `image` into `out` as a step sees it.
fn moved(lesson: Lesson, shape: Shape, image: &[f32], rng: &mut ChaCha8Rng, out: &mut [f32]) {
    let side = shape.height.min(shape.width) as f32;
    let scale = side / SIDE;
    // In small images a pixel or two may be all that tells a class: half of them are left as they are. A line has nowhere
    // to turn to.
    let altered = side > 1.0 && (scale >= 1.0 || rng.random_bool(0.5));
    match MOTION.shift {
        _ if !altered => out.copy_from_slice(image),
        Shift::Any(range) => {
            let share = side_share(shape);
            let (angle, shift) = (MOTION.angle * share, Shift::Any(range * scale));
            Motion { angle, shift, scale: MOTION.scale * share, ..MOTION }.draw(rng).apply(shape, image, out);
        }
        Shift::Whole(_) => MOTION.draw(rng).apply(shape, image, out),
    }
    if altered && lesson.labels().is_some() {
        let blurred = corruption::blurred(shape, out, rng.random_range(0.0..BLUR * side_share(shape)), Outside::Black);
        let contrast = 1.0 - rng.random_range(0.0..DIMMING);
        let deviation = rng.random_range(0.0..NOISE);
        for (out, value) in out.iter_mut().zip(blurred) {
            let noise: f32 = rng.sample(StandardNormal);
            *out = ((value + 1.0) * contrast - 1.0 + deviation * noise).clamp(-1.0, 1.0);
        }
    }
}

fn generator(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(stream);
    rng
}

#[cfg(test)]
mod tests {
    use super::super::subject::Subject;
    use super::*;
    use crate::data::digits;

    /// The first digits, as they are or without labels.
    fn some(count: usize, labelled: bool) -> Dataset {
        let mut data = digits::train().unwrap();
        data.images.truncate(count * data.shape.len());
        data.labels = data.labels.filter(|_| labelled).map(|labels| labels.select(0..count));
        data
    }

    fn about(data: &Dataset, epochs: usize) -> About {
        Subject::split(data, &Default::default(), 0.1).unwrap().about(epochs, 1)
    }

    #[test]
    fn learns_and_repeats() {
        for labelled in [true, false] {
            let data = some(640, labelled);
            let about = about(&data, 3);
            let run = |about: &About| {
                let mut losses = vec![];
                (train(&data, about, |_, _, loss| losses.push(loss)).unwrap(), losses)
            };
            let (bytes, losses) = run(&about);
            assert_eq!(losses.len(), 30);
            let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
            let least = if labelled { 0.8 } else { 0.95 };
            assert!(mean(&losses[25..]) < least * mean(&losses[..5]), "{losses:?}");
            assert_eq!(Evaluator::from_bytes(&bytes).unwrap().about(), &about);
            if labelled {
                let once = About { epochs: 1, ..about };
                assert!(run(&once).0 == run(&once).0, "the same arguments give the same weights");
            }
        }
        let data = some(60, true);
        assert!(train(&data, &about(&data, 0), |_, _, _| ()).is_err());
    }
}
