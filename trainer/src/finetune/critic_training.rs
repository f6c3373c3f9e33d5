//! Training of a critic.
use super::critic::Critic;
use crate::autograd::{cross_entropy, Adam, Buffer, Tape};
use crate::data::augment::Placement;
use crate::data::Dataset;
use crate::graph::Shape;
use crate::recognition::{side_share, Lesson, View};
use crate::{Error, Result};
use rand::{seq::SliceRandom, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Images a step.
const BATCH: usize = 64;
/// Highest learning rate.
const LEARNING_RATE: f64 = 3e-3;
/// Largest shift of a training image that is not small, in pixels.
const SHIFT: f32 = 2.0;

/// Steps of a training of `epochs` passes.
pub fn steps(data: &Dataset, epochs: usize) -> u64 {
    (epochs * data.len().div_ceil(BATCH)) as u64
}

/// Largest shift of a training image, in pixels. In small images a pixel or two may be all that tells a class: 16×16
/// ones stay where they are.
fn shift(shape: Shape) -> i64 {
    (SHIFT * side_share(shape).powi(3)).round() as i64
}

impl Critic {
    /// Trains it on `lesson` for `epochs` passes over the data.
    ///
    /// # Errors
    /// A loss that is not a number.
    pub fn train(
        &mut self,
        data: &Dataset,
        lesson: Lesson,
        epochs: usize,
        seed: u64,
        mut on_step: impl FnMut(u64),
    ) -> Result<()> {
        let mut params = self.params.clone();
        let mut adam = Adam::new([0.9, 0.99]);
        let view = View::of_data(data);
        let shape = view.shape();
        let (steps, heads) = (steps(data, epochs), lesson.heads(shape));
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let farthest = shift(shape);
        let mut step = 0;
        for _ in 0..epochs {
            let mut order: Vec<usize> = (0..data.len()).collect();
            order.shuffle(&mut rng);
            for images in order.chunks(BATCH) {
                let fail = |reason: String| Error::Training { step: step + 1, reason };
                let mut x = Buffer::stale(images.len() * shape.len());
                let mut classes = Vec::with_capacity(images.len() * heads.len());
                for (image, out) in images.iter().zip(x.chunks_exact_mut(shape.len())) {
                    let shift = [(); 2].map(|()| rng.random_range(-farthest..=farthest) as f32);
                    Placement { shift, ..Placement::STILL }.apply(shape, &view.of(&data.image(*image)), out);
                    lesson.take(*image, shape, out, &mut rng, &mut classes);
                }
                let mut tape = Tape::default();
                let x = tape.hold(x, images.len(), shape);
                let [_, logits] = self.record_seen(&mut tape, &params, &x, false);
                let loss = cross_entropy::softmax_cross_entropy(&mut tape, &logits, &heads, &classes);
                if !loss.value.is_finite() {
                    return Err(fail("a critic's loss is not a number".into()));
                }
                let mut grads = loss.backward(tape).map_err(|e| fail(e.to_string()))?;
                let progress = step as f64 / steps as f64;
                let rate = LEARNING_RATE * 0.5 * (1.0 + (std::f64::consts::PI * progress).cos());
                adam.update(&mut params, &mut grads, step + 1, rate).map_err(|e| fail(e.to_string()))?;
                step += 1;
                on_step(step);
            }
        }
        self.params = params;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_images_and_lines_stay_where_they_are() {
        let sizes = [(28, 28), (64, 48), (24, 32), (16, 16), (1, 512), (1, 1)];
        assert_eq!(sizes.map(|(height, width)| shift(Shape::new(height, width, 3))), [2, 2, 1, 0, 0, 0]);
    }
}
