//! The critics of a fine-tuning: the hidden layers of small networks, the pixels' principal components, how often
//! colours occur, and of sounds the means over many short periods. The networks are taught for that alone, on the training images, and are other ones than the evaluator
//! of `trainer eval`.
use super::critic::{Convolutions, Critic};
use super::{critic_training, palette};
use crate::autograd::cross_entropy;
use crate::data::Dataset;
use crate::graph::Shape;
use crate::recognition::Lesson;
use crate::{Error, Result};

/// The convolutions and the width of the hidden layer of every critic that is taught.
const CRITICS: [(Convolutions, usize); 3] = [
    (&[(5, 16, 2), (3, 32, 2), (3, 64, 2)], 64),
    (&[(3, 16, 1), (3, 24, 2), (3, 48, 2)], 64),
    (&[(7, 24, 2), (3, 48, 2)], 80),
];

/// Pixels or colours that vary less than this tell nothing: their critic is left out.
const SMALLEST_VARIANCE: f64 = 1e-6;

/// Trains all critics for `epochs` passes each: on the images' labels, or where there are none by themselves.
///
/// # Errors
/// Images that are all equal.
pub fn train(data: &Dataset, epochs: usize, seed: u64, mut on_step: impl FnMut(u64, u64)) -> Result<Vec<Critic>> {
    let lesson = lesson(data)?;
    let total = CRITICS.len() as u64 * critic_training::steps(data, epochs);
    let mut critics = untrained(data, lesson, seed)?;
    for (i, critic) in critics.iter_mut().enumerate() {
        let first = i as u64 * total / CRITICS.len() as u64;
        critic.train(data, lesson, epochs, seed + i as u64, |step| on_step(first + step, total))?;
    }
    Ok(completed(critics, data, lesson))
}

/// The critics that learned `params` from `data`, one vector a network.
///
/// # Errors
/// As [`train`].
pub fn restore(data: &Dataset, params: Vec<Vec<f32>>, seed: u64) -> Result<Vec<Critic>> {
    let lesson = lesson(data)?;
    let mut critics = untrained(data, lesson, seed)?;
    critics.iter_mut().zip(params).for_each(|(critic, params)| critic.learn(params));
    Ok(completed(critics, data, lesson))
}

/// The number of parameters of each network.
///
/// # Errors
/// As [`train`].
pub fn sizes(data: &Dataset) -> Result<Vec<usize>> {
    Ok(untrained(data, lesson(data)?, 0)?.iter().filter_map(Critic::learned).map(<[f32]>::len).collect())
}

/// What critics are taught.
fn lesson(data: &Dataset) -> Result<Lesson<'_>> {
    let first = data.image(0);
    if data.images.chunks(data.shape.len()).all(|image| image == first) {
        let what = "all images are equal, so that there is nothing to compare samples with; use --matching 0";
        return Err(Error::file(&data.source, what));
    }
    Ok(Lesson::of(data))
}

fn untrained(data: &Dataset, lesson: Lesson, seed: u64) -> Result<Vec<Critic>> {
    let critic = |(i, (convolutions, hidden)): (usize, (Convolutions, usize))| {
        Critic::new(data, lesson, convolutions, hidden, seed + i as u64)
    };
    CRITICS.into_iter().enumerate().map(critic).collect()
}

/// Adds the critics that learn nothing; all take the moments of the data.
fn completed(mut critics: Vec<Critic>, data: &Dataset, lesson: Lesson) -> Vec<Critic> {
    critics.extend(Critic::of_pixels(data, lesson));
    critics.push(Critic::of_colours(data, lesson, palette::bins(data)));
    critics.extend(Critic::of_periods(data, lesson));
    critics.iter_mut().for_each(|critic| critic.take_moments(data, lesson));
    critics.retain(|critic| critic.learned().is_some() || critic.target(false).trace() > SMALLEST_VARIANCE);
    critics
}

/// The class of each of the `images` on each axis, by the sum of the critics' log-probabilities.
pub fn classify(critics: &[Critic], images: &[f32], shape: Shape) -> Vec<Vec<usize>> {
    let (heads, classes) = (critics[0].heads(), critics[0].shares().len());
    let mut sums = vec![vec![0.0; classes]; images.len() / shape.len()];
    for logits in critics.iter().filter_map(|critic| critic.logits(images, shape)) {
        for (sums, row) in sums.iter_mut().zip(logits.values().chunks_exact(classes)) {
            for head in cross_entropy::parts(heads) {
                let probabilities = cross_entropy::softmax(&row[head.clone()]);
                sums[head].iter_mut().zip(probabilities).for_each(|(sum, p)| *sum += p.max(1e-30).ln());
            }
        }
    }
    let largest = |row: &[f64]| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0);
    let classes = |row: &Vec<f64>| cross_entropy::parts(heads).map(|head| largest(&row[head])).collect();
    sums.iter().map(classes).collect()
}

#[cfg(test)]
mod tests {
    use super::super::critic::ClassLoss;
    use super::*;
    use crate::autograd::loss::Loss;
    use crate::autograd::{Buffer, Tape};
    use crate::data::{Axis, Labels, Sound};
    use crate::run::Distance;

    /// Random images; with labels on two axes, the second of one class and an empty one.
    fn data(shape: Shape, labelled: bool) -> Dataset {
        let images: Vec<f32> = (0..12 * shape.len()).map(|i| (i as f32 * i as f32 * 0.37).sin()).collect();
        let axes = vec![Axis::numbered(2), Axis { name: "other".into(), ..Axis::numbered(3) }];
        let labels =
            labelled.then(|| Labels { axes, values: (0..24).map(|i| [i / 2 % 2, 2][i as usize % 2]).collect() });
        Dataset { source: "random".into(), shape, images: images.into(), labels, sound: None }
    }

    const CLASS_LOSS: ClassLoss = ClassLoss { weight: 0.1, confidence: 1.0 };

    #[test]
    fn images_of_every_size_have_critics_with_labels_and_without() {
        for (height, width, channels) in [(1, 30, 1), (4, 4, 2), (8, 8, 1), (12, 8, 3), (24, 12, 4), (36, 33, 1)] {
            let shape = Shape::new(height, width, channels);
            for labelled in [true, false] {
                let data = data(shape, labelled);
                let lesson = lesson(&data).unwrap();
                let critics = completed(untrained(&data, lesson, 1).unwrap(), &data, lesson);
                assert_eq!(critics.len(), CRITICS.len() + 2, "{shape}");
                let heads: &[usize] = if labelled { &[2, 3] } else { &[] };
                let classes = labelled.then_some([0, 2, 1, 2, 1, 0]);
                for critic in &critics {
                    assert_eq!(critic.heads(), heads);
                    let choices = [Distance::Squared, Distance::Root].into_iter().flat_map(|distance| {
                        [classes.as_ref().map(|classes| &classes[..]), None].map(|c| (distance, c))
                    });
                    for (distance, classes) in choices {
                        let mut tape = Tape::default();
                        let samples: Vec<f32> = (0..3 * shape.len()).map(|i| (i as f32 * 0.61).sin()).collect();
                        let samples = tape.hold(Buffer::from(samples), 3, shape);
                        let mut seen = Default::default();
                        let found =
                            critic.compare(&mut tape, &samples, classes, &mut seen, distance.into(), CLASS_LOSS);
                        assert!(found.distance > 0.0 && found.distance.is_finite(), "{shape}: {}", found.distance);
                        assert!(found.class_loss.is_finite() && (labelled || found.class_loss == 0.0));
                        let slopes: Vec<f32> = found.gradients.iter().flat_map(|(_, g)| g.to_vec()).collect();
                        assert!(slopes.iter().all(|g| g.is_finite()) && slopes.iter().any(|g| *g != 0.0), "{shape}");
                    }
                }
                let told = labelled.then(|| classify(&critics, &data.images.to_vec(), shape));
                assert!(told.is_none_or(|told| told.iter().all(|classes| classes[0] < 2 && classes[1] < 3)));
            }
        }
    }

    /// Critics of sounds see log-mel spectrograms, and gradients reach the samples through these.
    #[test]
    fn sounds_have_critics_that_hear() {
        let shape = Shape::new(1, 600, 1);
        let mut data = data(shape, true);
        data.sound = Some(Sound { rate: 8000, scale: 1.4 });
        let lesson = lesson(&data).unwrap();
        let mut critics = untrained(&data, lesson, 1).unwrap();
        let before = critics[0].learned().unwrap().to_vec();
        critics[0].train(&data, lesson, 2, 1, |_| ()).unwrap();
        assert_ne!(before, critics[0].learned().unwrap());
        let critics = completed(critics, &data, lesson);
        assert_eq!(critics.len(), CRITICS.len() + 3);
        for critic in &critics {
            let mut tape = Tape::default();
            let samples: Vec<f32> = (0..3 * shape.len()).map(|i| 0.4 * (i as f32 * 0.61).sin()).collect();
            let samples = tape.hold(Buffer::from(samples), 3, shape);
            let found = critic.compare(
                &mut tape,
                &samples,
                Some(&[0, 2, 1, 2, 1, 0]),
                &mut Default::default(),
                Distance::Squared.into(),
                CLASS_LOSS,
            );
            assert!(found.distance > 0.0 && found.distance.is_finite());
            let mut grads = Loss::of_gradients(&mut tape, found.distance, found.gradients).backward(tape).unwrap();
            let slopes = samples.take_grad(&mut grads).unwrap();
            assert!(slopes.iter().all(|slope| slope.is_finite()) && slopes.iter().any(|slope| *slope != 0.0));
        }
    }

    /// The two gray critics of digits, and what their pixels' components are.
    #[test]
    fn gray_images_have_the_critics_of_black_and_white() {
        let data = data(Shape::new(8, 8, 1), false);
        let bins = palette::bins(&data);
        assert!(bins.len() == 8 && bins.iter().all(|bin| bin.centre == [-1.0] || bin.centre == [1.0]));
    }

    /// Each image is one white pixel on black, elsewhere in each.
    #[test]
    fn colours_that_are_as_frequent_in_all_images_are_no_critic() {
        let mut data = data(Shape::new(4, 4, 1), true);
        data.images = (0..12 * 16).map(|i| if i % 17 == 0 { 1.0 } else { -1.0 }).collect::<Vec<f32>>().into();
        let critics = train(&data, 1, 0, |_, _| ()).unwrap();
        assert_eq!(critics.len(), CRITICS.len() + 1);
        for critic in &critics {
            let mut tape = Tape::default();
            let samples = tape.hold(Buffer::copy_of(&data.images.to_vec()[..48]), 3, data.shape);
            let found = critic.compare(
                &mut tape,
                &samples,
                None,
                &mut Default::default(),
                Distance::Squared.into(),
                CLASS_LOSS,
            );
            assert!(found.distance < 10.0, "{}", found.distance);
        }
    }

    #[test]
    fn equal_images_are_refused_and_nearly_equal_ones_are_not() {
        let mut data = data(Shape::new(4, 4, 1), true);
        let mut images = vec![0.5; data.images.len()];
        data.images = images.clone().into();
        let reason = train(&data, 1, 0, |_, _| ()).unwrap_err().to_string();
        assert!(reason.contains("all images are equal") && reason.contains("--matching 0"), "{reason}");
        images[3] = 0.6;
        data.images = images.into();
        assert_eq!(train(&data, 1, 0, |_, _| ()).unwrap().len(), CRITICS.len() + 2);
    }

    /// Axes on which all images have one class tell nothing, so critics teach themselves.
    #[test]
    fn one_class_is_no_lesson() {
        let mut data = data(Shape::new(4, 4, 1), true);
        data.labels.as_mut().unwrap().values.fill(1);
        assert!(lesson(&data).unwrap().labels().is_none());
    }
}
