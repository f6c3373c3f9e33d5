//! Every figure of a set of images, against the built-in training digits.
use super::bootstrap::{self, Estimate};
use super::classifier::{CLASSES, FEATURES, IMAGE};
use super::frechet::Moments;
use super::{histogram, neighbours, sliced, Classifier};
use crate::data::{digits, Dataset};
use crate::{Error, Result};
use rand::{seq::SliceRandom, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Draws of a bootstrap interval.
const REPEATS: usize = 60;
/// The same for the sliced Wasserstein distance, where each draw sorts every projection.
const SLICED_REPEATS: usize = 20;
/// Images on each side of the memorisation ratio, or as many as are measured if that is less.
const MEMORISATION_IMAGES: usize = 2000;

/// The figures of a set of images.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Fréchet distance of the features to those of the training digits.
    pub frechet_distance: Estimate,
    /// Share of images that the classifier reads as the class that was asked for; absent where no class was.
    pub class_accuracy: Option<Estimate>,
    /// Total variation between the classes of an unguided draw without classes and those of the training digits.
    pub class_total_variation: Estimate,
    /// The classes' shares in that draw.
    pub class_shares: [f64; CLASSES],
    /// Share of images among the real ones' features.
    pub precision: Estimate,
    /// Share of real images among these ones' features.
    pub recall: Estimate,
    /// Sliced Wasserstein distance in pixels.
    pub sliced_wasserstein: Estimate,
    /// Median distance to the nearest training digit, over that of test digits.
    pub memorisation_ratio: Estimate,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The images, NHWC in [-1, 1].
    pub images: &'a [f32],
    /// The class that each should show.
    pub asked: Option<&'a [u8]>,
    /// Images drawn without classes.
    pub unconditional: &'a [f32],
    /// Images whose nearest training digits are sought.
    pub memorised: &'a [f32],
}

/// The frozen classifier, and the training digits as every figure needs them.
#[derive(Debug)]
pub struct Evaluator {
    classifier: Classifier,
    train: Dataset,
    train_images: Vec<f32>,
    test: Dataset,
    test_images: Vec<f32>,
    /// Images that neighbours and projections are taken of: as many as will be measured.
    count: usize,
    seed: u64,
    moments: Moments,
    features: Vec<f32>,
    radii: Vec<f32>,
    directions: Vec<f32>,
    projections: Vec<Vec<f32>>,
    test_nearest: Vec<f64>,
    seconds: Mutex<BTreeMap<&'static str, f64>>,
}

impl Evaluator {
    /// An evaluator of sets of `count` images; `seed` is that of the bootstrap.
    ///
    /// # Errors
    /// None in practice: the data is part of the program.
    pub fn new(count: usize, seed: u64) -> Result<Self> {
        let classifier = Classifier::shipped()?;
        let (train, test) = (digits::train()?, shuffled(&digits::test()?));
        let count = count.min(train.len()).min(test.len());
        let (train_images, test_images) = (train.images.to_vec(), test.images.to_vec());
        let mut features = classifier.read(&train_images).features;
        let moments = Moments::of(&features, FEATURES, 0..train.len());
        features.truncate(count * FEATURES);
        let radii = neighbours::radii(&features, FEATURES);
        let directions = sliced::directions(IMAGE.len());
        let projections = sliced::project(&train_images[..count * IMAGE.len()], &directions, IMAGE.len());
        let test_nearest =
            neighbours::nearest(first(&test_images, count.min(MEMORISATION_IMAGES)), &train_images, IMAGE.len());
        Ok(Self {
            classifier,
            train,
            train_images,
            test,
            test_images,
            count,
            seed,
            moments,
            features,
            radii,
            directions,
            projections,
            test_nearest,
            seconds: Mutex::default(),
        })
    }

    /// Seconds that each kind of figure has taken so far.
    pub fn seconds(&self) -> BTreeMap<&'static str, f64> {
        self.seconds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn timed<T>(&self, what: &'static str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        let mut seconds = self.seconds.lock().unwrap_or_else(PoisonError::into_inner);
        *seconds.entry(what).or_default() += start.elapsed().as_secs_f64();
        result
    }

    /// The classifier.
    pub fn classifier(&self) -> &Classifier {
        &self.classifier
    }

    /// The share of the whole test set that the classifier reads right.
    pub fn test_accuracy(&self) -> f64 {
        let classes = self.classifier.read(&self.test_images).classes;
        let labels = self.test.single_labels().unwrap_or_default();
        classes.iter().zip(labels).filter(|(class, label)| class == label).count() as f64 / self.test.len() as f64
    }

    /// The figures of a set of images.
    ///
    /// # Errors
    /// Too few images to have a covariance.
    pub fn figures(&self, set: &Images) -> Result<Figures> {
        let len = IMAGE.len();
        let total = set.images.len() / len;
        if total < 2 {
            return Err(Error::Usage("figures need at least two images".into()));
        }
        let reading = self.timed("classifier", || self.classifier.read(set.images));
        let frechet_distance = self.timed("frechet_distance", || {
            bootstrap::estimate(REPEATS, self.seed, [total, 0], |pick, _| {
                Moments::of(&reading.features, FEATURES, pick.iter().copied()).distance(&self.moments)
            })
        });
        let class_accuracy = set.asked.map(|asked| {
            let right: Vec<bool> = reading.classes.iter().zip(asked).map(|(class, asked)| class == asked).collect();
            bootstrap::share(REPEATS, self.seed, &right)
        });
        let drawn = self.timed("classifier", || self.classifier.read(set.unconditional).classes);
        let expected = histogram::shares(self.train.single_labels().unwrap_or_default().iter().copied());
        let class_shares = histogram::shares(drawn.iter().copied());
        let class_total_variation = bootstrap::estimate(REPEATS, self.seed, [drawn.len(), 0], |pick, _| {
            histogram::total_variation(histogram::shares(pick.iter().map(|i| drawn[*i])), expected)
        });
        let features = &reading.features[..self.count.min(total) * FEATURES];
        let [precise, recalled] = self.timed("precision_recall", || {
            let precise = neighbours::covered(features, &self.features, &self.radii, FEATURES);
            let radii = neighbours::radii(features, FEATURES);
            [precise, neighbours::covered(&self.features, features, &radii, FEATURES)]
        });
        let sliced_wasserstein = self.timed("sliced_wasserstein", || {
            let projections = sliced::project(first(set.images, self.count), &self.directions, len);
            let real: Vec<usize> = (0..self.count).collect();
            bootstrap::estimate(SLICED_REPEATS, self.seed, [self.count.min(total), 0], |pick, _| {
                sliced::distance(&projections, &self.projections, pick, &real)
            })
        });
        let memorisation_ratio = self.timed("memorisation_ratio", || {
            let nearest = neighbours::nearest(first(set.memorised, self.test_nearest.len()), &self.train_images, len);
            let counts = [nearest.len(), self.test_nearest.len()];
            bootstrap::estimate(REPEATS, self.seed, counts, |a, b| {
                let middle = |all: &[f64], pick: &[usize]| {
                    neighbours::median(&pick.iter().map(|i| all[*i]).collect::<Vec<f64>>())
                };
                middle(&nearest, a) / middle(&self.test_nearest, b)
            })
        });
        Ok(Figures {
            frechet_distance,
            class_accuracy,
            class_total_variation,
            class_shares,
            precision: bootstrap::share(REPEATS, self.seed, &precise),
            recall: bootstrap::share(REPEATS, self.seed, &recalled),
            sliced_wasserstein,
            memorisation_ratio,
        })
    }

    /// The figures of real digits that nothing was trained on: the floor. The memorisation ratio is that of test digits
    /// other than those in its denominator.
    ///
    /// # Errors
    /// As [`Self::figures`].
    pub fn real(&self) -> Result<Figures> {
        let others = &self.test_images[self.test_nearest.len() * IMAGE.len()..];
        self.figures(&Images { memorised: others, ..self.of_test(first(&self.test_images, self.count)) })
    }

    /// The figures of test digits changed by `corrupt`.
    ///
    /// # Errors
    /// As [`Self::figures`].
    pub fn corrupted(&self, corrupt: fn(&[f32]) -> Vec<f32>) -> Result<Figures> {
        self.figures(&self.of_test(&corrupt(first(&self.test_images, self.count))))
    }

    /// Some of the test digits, for a page: the first `count` of the order they are used in, with their classes.
    pub fn some_test_digits(&self, count: usize) -> (&[f32], &[u8]) {
        let count = count.min(self.test.len());
        (first(&self.test_images, count), &self.test.single_labels().unwrap_or_default()[..count])
    }

    fn of_test<'a>(&'a self, images: &'a [f32]) -> Images<'a> {
        Images { images, asked: self.test.single_labels(), unconditional: images, memorised: images }
    }
}

/// The set in another order, always the same: the test set's first half was written by tidier hands than its second.
fn shuffled(set: &Dataset) -> Dataset {
    let mut order: Vec<usize> = (0..set.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    Dataset {
        source: set.source.clone(),
        shape: set.shape,
        images: set.images.select(&order, set.shape.len()),
        labels: set.labels.as_ref().map(|labels| labels.select(order)),
    }
}

/// The first `count` images, or all if there are fewer.
fn first(images: &[f32], count: usize) -> &[f32] {
    &images[..images.len().min(count * IMAGE.len())]
}

#[cfg(test)]
mod tests {
    use super::super::corruption;
    use super::*;

    #[test]
    fn real_digits_are_near_and_corrupted_or_copied_ones_are_told() {
        let evaluator = Evaluator::new(500, 1).unwrap();
        let real = evaluator.real().unwrap();
        let noisy = evaluator.corrupted(corruption::noise).unwrap();
        let distance = |figures: &Figures| figures.frechet_distance.value;
        assert!(distance(&real) * 1.5 < distance(&noisy), "{real:?} {noisy:?}");
        assert!(real.class_accuracy.unwrap().value > 0.97);
        assert!(real.class_total_variation.value < 0.08);
        assert!(real.precision.value > 0.75 && real.recall.value > 0.75, "{real:?}");
        assert!((real.memorisation_ratio.value - 1.0).abs() < 0.1);
        assert!(real.sliced_wasserstein.value < noisy.sliced_wasserstein.value + 0.5);
        for estimate in [real.frechet_distance, real.precision, real.memorisation_ratio] {
            assert!(estimate.low < estimate.value && estimate.value < estimate.high);
        }

        // The training digits themselves, in the place of samples: as near as can be, and copies.
        let copies = first(&evaluator.train_images, 500);
        let images = Images { images: copies, asked: None, unconditional: copies, memorised: copies };
        let copied = evaluator.figures(&images).unwrap();
        assert_eq!((copied.precision.value, copied.recall.value, copied.memorisation_ratio.value), (1.0, 1.0, 0.0));
        assert_eq!(copied.sliced_wasserstein.value, 0.0);
        assert!(copied.class_accuracy.is_none());

        // Background only: one class, far away, nothing covered.
        let empty = vec![-1.0; 200 * IMAGE.len()];
        let images = Images { images: &empty, asked: None, unconditional: &empty, memorised: &empty };
        let nothing = evaluator.figures(&images).unwrap();
        assert!(distance(&nothing) > 10.0 * distance(&noisy));
        assert!(nothing.class_total_variation.value > 0.8 && nothing.recall.value == 0.0);
    }
}
