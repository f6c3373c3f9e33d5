//! The critics of a fine-tuning: the hidden layers of small classifiers, the pixels' principal components, and how
//! often gray levels occur. The classifiers are trained for that alone, on the training images, and are other networks
//! than the evaluator of `trainer eval`.
use super::critic::{Convolutions, Critic, BATCH};
use crate::autograd::cross_entropy;
use crate::data::Dataset;
use crate::graph::Shape;
use crate::{Error, Result};

/// The convolutions and the width of the hidden layer of every classifying critic.
const CRITICS: [(Convolutions, usize); 3] = [
    (&[(5, 16, 2), (3, 32, 2), (3, 64, 2)], 64),
    (&[(3, 16, 1), (3, 24, 2), (3, 48, 2)], 64),
    (&[(7, 24, 2), (3, 48, 2)], 80),
];
/// Values of an image, at most, whose principal components are found.
const LARGEST_IMAGE: usize = 1024;
/// Trains all critics on labelled images for `epochs` passes each.
///
/// # Errors
/// Images that are too small or unlabelled.
pub fn train(data: &Dataset, epochs: usize, seed: u64, mut on_step: impl FnMut(u64, u64)) -> Result<Vec<Critic>> {
    let labels = labels(data)?;
    let total = (CRITICS.len() * epochs * data.len().div_ceil(BATCH)) as u64;
    let mut critics = untrained(data, seed)?;
    for (i, critic) in critics.iter_mut().enumerate() {
        let first = i as u64 * total / CRITICS.len() as u64;
        critic.train(data, labels, epochs, seed + i as u64, |step| on_step(first + step, total))?;
    }
    Ok(completed(critics, data, labels))
}

/// The critics that learned `params` from `data`, one vector a classifier.
///
/// # Errors
/// As [`train`].
pub fn restore(data: &Dataset, params: Vec<Vec<f32>>, seed: u64) -> Result<Vec<Critic>> {
    let labels = labels(data)?;
    let mut critics = untrained(data, seed)?;
    critics.iter_mut().zip(params).for_each(|(critic, params)| critic.learn(params));
    Ok(completed(critics, data, labels))
}

/// The number of parameters of each classifier.
///
/// # Errors
/// As [`train`].
pub fn sizes(data: &Dataset) -> Result<Vec<usize>> {
    Ok(untrained(data, 0)?.iter().filter_map(Critic::learned).map(<[f32]>::len).collect())
}

fn labels(data: &Dataset) -> Result<&[u8]> {
    if data.axes().len() > 1 {
        return Err(Error::Usage(format!(
            "{} has labels on several axes; the critics learn one: use --matching 0",
            data.source
        )));
    }
    data.single_labels().filter(|_| data.classes() > 1).ok_or_else(|| {
        Error::Usage(format!("{} has no classes, which the critics learn; use --matching 0", data.source))
    })
}

fn untrained(data: &Dataset, seed: u64) -> Result<Vec<Critic>> {
    let critic = |(i, (convolutions, hidden)): (usize, (Convolutions, usize))| {
        Critic::new(data, convolutions, hidden, seed + i as u64)
    };
    CRITICS.into_iter().enumerate().map(critic).collect()
}

/// Adds the critics that learn nothing; all take the moments of the data.
fn completed(mut critics: Vec<Critic>, data: &Dataset, labels: &[u8]) -> Vec<Critic> {
    if data.shape.len() <= LARGEST_IMAGE {
        critics.push(Critic::of_pixels(data));
    }
    critics.push(Critic::without_layers(data));
    critics.iter_mut().for_each(|critic| critic.take_moments(data, labels));
    critics
}

/// The class of each of the `images`, by the sum of the classifiers' log-probabilities.
pub fn classify(critics: &[Critic], images: &[f32], shape: Shape) -> Vec<usize> {
    let classes = critics[0].shares().len();
    let mut sums = vec![vec![0.0; classes]; images.len() / shape.len()];
    for logits in critics.iter().filter_map(|critic| critic.logits(images, shape)) {
        for (sums, row) in sums.iter_mut().zip(logits.values().chunks_exact(classes)) {
            sums.iter_mut().zip(cross_entropy::softmax(row)).for_each(|(sum, p)| *sum += p.max(1e-30).ln());
        }
    }
    let largest = |row: &Vec<f64>| (0..row.len()).max_by(|a, b| row[*a].total_cmp(&row[*b])).unwrap_or(0);
    sums.iter().map(largest).collect()
}
