//! Every figure of a set of images, against the data.
use super::bootstrap::{self, Estimate};
use super::corruption::Corruption;
use super::evaluator::{all_right, axis_right, Evaluator, Reading};
use super::frechet::Moments;
use super::pyramid::Pyramid;
use super::{architecture::FEATURES, histogram, neighbours, quiet, sliced};
use crate::data::{Dataset, Labels, Sound};
use crate::graph::Shape;
use crate::recognition::{LocalMel, View, RANGE};
use crate::{Error, Result};
use rand::{seq::SliceRandom, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// Draws of a bootstrap interval.
const REPEATS: usize = 60;
/// The same for sliced Wasserstein distances, where each draw sorts every projection.
const SLICED_REPEATS: usize = 20;
/// Images on each side of the memorisation ratio, or as many as are measured if that is less.
const MEMORISATION_IMAGES: usize = 2000;

/// The figures of a set of images. Those that need an evaluator, classes or labels are absent without.
#[derive(Clone, Debug, Serialize)]
pub struct Figures {
    /// Fréchet distance of the features to those of the training images.
    pub frechet_distance: Option<Estimate>,
    /// Share of images that the evaluator reads as the classes that were asked for, on all axes.
    pub class_accuracy: Option<Estimate>,
    /// The same of each axis alone, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub axis_accuracy: Vec<Estimate>,
    /// Total variation between the classes of an unguided draw without classes and those of the training images, the
    /// mean over the axes.
    pub class_total_variation: Option<Estimate>,
    /// The classes' shares in that draw, axis after axis.
    pub class_shares: Vec<f64>,
    /// Share of images among the real ones' features.
    pub precision: Option<Estimate>,
    /// Share of real images among these ones' features.
    pub recall: Option<Estimate>,
    /// Sliced Wasserstein distance in pixels.
    pub sliced_wasserstein: Estimate,
    /// Sliced Wasserstein distance over a Laplacian pyramid, in thousandths.
    pub pyramid_wasserstein: Estimate,
    /// Median distance to the nearest training image, over that of test images; absent where most test images occur among
    /// the training images.
    pub memorisation_ratio: Option<Estimate>,
    /// Of sounds that follow a mel spectrogram, the mean distance of their own from it, over frames and bands, in decibels;
    /// levels below −30 dB or above 20 dB count as these.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_mel_distance: Option<Estimate>,
    /// Of sounds, the level of their quiet frames in decibels above that of the data ([`quiet::levels`]).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_level: Option<Estimate>,
}

/// What is measured.
#[derive(Clone, Copy, Debug)]
pub struct Images<'a> {
    /// The images, NHWC in [-1, 1].
    pub images: &'a [f32],
    /// The classes that each should show, one an axis.
    pub asked: Option<&'a [u8]>,
    /// Images drawn without classes.
    pub unconditional: &'a [f32],
    /// Images whose nearest training images are sought.
    pub memorised: &'a [f32],
    /// What makes the local conditions of sounds, and those that they should have.
    pub followed: Option<(&'a LocalMel, &'a [f32])>,
}

/// The data as every figure needs them, and the evaluator.
#[derive(Debug)]
pub struct Ruler {
    evaluator: Option<Evaluator>,
    shape: Shape,
    sound: Option<Sound>,
    /// What distances are taken in.
    view: View,
    /// The training images as they are seen.
    train: Vec<f32>,
    train_labels: Option<Labels>,
    test: Vec<f32>,
    test_labels: Option<Labels>,
    /// Images that neighbours and projections are taken of: as many as will be measured.
    count: usize,
    seed: u64,
    /// The training images as the evaluator sees them.
    seen: Option<Seen>,
    directions: Vec<f32>,
    projections: Vec<Vec<f32>>,
    pyramid: Pyramid,
    test_nearest: Vec<f64>,
    seconds: Mutex<BTreeMap<&'static str, f64>>,
}

/// Images as the evaluator sees them.
#[derive(Debug)]
struct Seen {
    moments: Moments,
    features: Vec<f32>,
    radii: Vec<f32>,
}

impl Ruler {
    /// A ruler for sets of `count` images, which are compared with `train`, as are the images of `test`, which nothing
    /// was trained on; `seed` is that of the bootstrap. Without an evaluator it measures what needs none.
    ///
    /// # Errors
    /// Fewer than four test images, or images of different shapes.
    pub fn new(evaluator: Option<Evaluator>, [train, test]: [&Dataset; 2], count: usize, seed: u64) -> Result<Self> {
        let shape = train.shape;
        if test.shape != shape {
            let what = format!("holds images of {}, {} such of {shape}", test.shape, train.source);
            return Err(Error::file(&test.source, what));
        }
        if train.len() < 2 || test.len() < 4 {
            let what = format!("{} images and {} held out are too few for figures", train.len(), test.len());
            return Err(Error::file(&train.source, what));
        }
        let test = shuffled(test);
        let count = count.min(train.len()).min(test.len());
        // The order of the training images may be that of their classes.
        let first_train = if is_sorted(train) { shuffled(train) } else { train.clone() };
        let (train_images, test_images) = (first_train.images.to_vec(), test.images.to_vec());
        let view = View::of_data(train);
        let seen = evaluator.as_ref().map(|evaluator| {
            let mut features = evaluator.read(&train_images).features;
            let moments = Moments::of(&features, FEATURES, 0..train.len());
            features.truncate(count * FEATURES);
            let radii = neighbours::radii(&features, FEATURES);
            Seen { moments, features, radii }
        });
        let pictures = view.of(&train_images).into_owned();
        let len = view.shape().len();
        let directions = sliced::directions(len);
        let projections = sliced::project(&pictures[..count * len], &directions, len);
        // Some are left for the floor, which needs others than those in the denominator.
        let nearest = count.min(MEMORISATION_IMAGES).min(test.len() / 2);
        let test_nearest = neighbours::nearest(&view.of(&test_images[..nearest * shape.len()]), &pictures, len);
        Ok(Self {
            evaluator,
            shape,
            sound: train.sound,
            pyramid: Pyramid::new(view.shape(), &pictures[..count * len]),
            view,
            train: pictures,
            train_labels: first_train.labels,
            test: test_images,
            test_labels: test.labels,
            count,
            seed,
            seen,
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

    /// The evaluator, if there is one.
    pub fn evaluator(&self) -> Option<&Evaluator> {
        self.evaluator.as_ref()
    }

    /// Shape of an image.
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// What the data are as sound, if they are sound.
    pub fn sound(&self) -> Option<Sound> {
        self.sound
    }

    /// The labels of the training images, in an order without pattern.
    pub fn train_labels(&self) -> Option<&Labels> {
        self.train_labels.as_ref()
    }

    /// The share of all test images of which the evaluator reads the class of each axis right, with the axis's name.
    pub fn axis_test_accuracy(&self) -> Vec<(String, f64)> {
        let evaluator = self.evaluator.as_ref().filter(|evaluator| evaluator.heads().len() > 1);
        let labels = self.test_labels.as_ref();
        evaluator.zip(labels).map_or_else(Vec::new, |(e, labels)| e.accuracies(&self.test, &labels.values))
    }

    /// The share of all test images of which the evaluator reads every class right.
    pub fn test_accuracy(&self) -> Option<f64> {
        let evaluator = self.evaluator.as_ref().filter(|evaluator| !evaluator.heads().is_empty())?;
        Some(evaluator.accuracy(&self.test, &self.test_labels.as_ref()?.values))
    }

    /// The figures of a set of images.
    ///
    /// # Errors
    /// Too few images to have a covariance.
    pub fn figures(&self, set: &Images) -> Result<Figures> {
        let len = self.view.shape().len();
        let total = set.images.len() / self.shape.len();
        if total < 2 {
            return Err(Error::Usage("figures need at least two images".into()));
        }
        let estimate = |repeats: usize, total: usize, figure: &(dyn Fn(&[usize]) -> f64 + Sync)| {
            bootstrap::estimate(repeats, self.seed, [total, 0], |pick, _| figure(pick))
        };
        let reading = self.evaluator.as_ref().map(|e| self.timed("evaluator", || e.read(set.images)));
        let seen = reading.as_ref().zip(self.seen.as_ref());
        let frechet_distance = seen.map(|(reading, seen)| {
            self.timed("frechet_distance", || {
                estimate(REPEATS, total, &|pick| {
                    Moments::of(&reading.features, FEATURES, pick.iter().copied()).distance(&seen.moments)
                })
            })
        });
        let [precision, recall] = match seen {
            None => [None, None],
            Some((reading, seen)) => self.timed("precision_recall", || {
                let features = &reading.features[..self.count.min(total) * FEATURES];
                let precise = neighbours::covered(features, &seen.features, &seen.radii, FEATURES);
                let radii = neighbours::radii(features, FEATURES);
                let recalled = neighbours::covered(&seen.features, features, &radii, FEATURES);
                [Some(bootstrap::share(&precise)), Some(bootstrap::share(&recalled))]
            }),
        };
        let (class_accuracy, class_total_variation, class_shares) = self.classes(set, reading.as_ref());
        let axis_accuracy = self.axis_accuracy(set, reading.as_ref());
        let first = self.view.of(self.first(set.images, self.count));
        let sliced_wasserstein = self.timed("sliced_wasserstein", || {
            let projections = sliced::project(&first, &self.directions, len);
            let real: Vec<usize> = (0..self.count).collect();
            estimate(SLICED_REPEATS, self.count.min(total), &|pick| {
                sliced::distance(&projections, &self.projections, pick, &real)
            })
        });
        let pyramid_wasserstein = self.timed("pyramid_wasserstein", || {
            let patches = self.pyramid.patches(&first);
            estimate(SLICED_REPEATS, patches.images(), &|pick| self.pyramid.distance(&patches, pick))
        });
        let median =
            |all: &[f64], pick: &[usize]| neighbours::median(&pick.iter().map(|i| all[*i]).collect::<Vec<f64>>());
        let usual = neighbours::median(&self.test_nearest);
        let memorisation_ratio = (usual > 0.0).then(|| {
            self.timed("memorisation_ratio", || {
                let memorised = self.view.of(self.first(set.memorised, self.test_nearest.len()));
                let nearest = neighbours::nearest(&memorised, &self.train, len);
                let counts = [nearest.len(), self.test_nearest.len()];
                bootstrap::estimate(REPEATS, self.seed, counts, |a, b| {
                    // A draw may name the test images that are among the training images more often than the others.
                    let of_test = Some(median(&self.test_nearest, b)).filter(|v| *v > 0.0).unwrap_or(usual);
                    median(&nearest, a) / of_test
                })
            })
        });
        let log_mel_distance = set.followed.map(|(local, asked)| {
            let of_frame = |(a, b): (&f32, &f32)| f64::from((a.clamp(-1.0, 1.0) - b).abs()) * RANGE / 2.0;
            let len = local.shape().len();
            let found = local.mel().of(set.images);
            let distances: Vec<f64> = found
                .chunks_exact(len)
                .zip(asked.chunks_exact(len))
                .map(|(found, asked)| found.iter().zip(asked).map(of_frame).sum::<f64>() / len as f64)
                .collect();
            estimate(REPEATS, total, &|pick| pick.iter().map(|i| distances[*i]).sum::<f64>() / pick.len() as f64)
        });
        let quiet_level = self.sound.map(|sound| {
            let levels = quiet::levels(set.images, self.shape.len(), sound);
            estimate(REPEATS, total, &|pick| pick.iter().map(|i| levels[*i]).sum::<f64>() / pick.len() as f64)
        });
        Ok(Figures {
            frechet_distance,
            class_accuracy,
            axis_accuracy,
            class_total_variation,
            class_shares,
            precision,
            recall,
            sliced_wasserstein,
            pyramid_wasserstein,
            memorisation_ratio,
            log_mel_distance,
            quiet_level,
        })
    }

    /// The share of images of which the class of each axis is read as it was asked for, where there are several axes.
    fn axis_accuracy(&self, set: &Images, reading: Option<&Reading>) -> Vec<Estimate> {
        let axes = self.evaluator.as_ref().map_or(0, |evaluator| evaluator.heads().len());
        let (Some(reading), Some(asked), 2..) = (reading, set.asked, axes) else { return vec![] };
        let share = |axis| bootstrap::share(&axis_right(&reading.classes, asked, axes, axis));
        (0..axes).map(share).collect()
    }

    /// Accuracy, total variation and shares of the classes.
    fn classes(&self, set: &Images, reading: Option<&Reading>) -> (Option<Estimate>, Option<Estimate>, Vec<f64>) {
        let heads = self.evaluator.as_ref().map_or(&[][..], Evaluator::heads);
        let labels = self.train_labels.as_ref().filter(|labels| labels.axes.len() == heads.len());
        let (Some(evaluator), Some(reading), Some(labels)) = (&self.evaluator, reading, labels) else {
            return (None, None, vec![]);
        };
        let accuracy = set.asked.map(|asked| bootstrap::share(&all_right(&reading.classes, asked, heads.len())));
        let drawn = self.timed("evaluator", || evaluator.read(set.unconditional).classes);
        let count = drawn.len() / heads.len();
        let expected = histogram::shares(heads, &labels.values, 0..labels.len());
        let variation = bootstrap::estimate(REPEATS, self.seed, [count, 0], |pick, _| {
            let shares = histogram::shares(heads, &drawn, pick.iter().copied());
            histogram::total_variation(heads, &shares, &expected)
        });
        (accuracy, Some(variation), histogram::shares(heads, &drawn, 0..count))
    }

    /// The figures of real images that nothing was trained on: the floor. The memorisation ratio is that of test images
    /// other than those in its denominator.
    ///
    /// # Errors
    /// As [`Self::figures`].
    pub fn real(&self) -> Result<Figures> {
        let others = &self.test[self.test_nearest.len() * self.shape.len()..];
        self.figures(&Images { memorised: others, ..self.of_test(self.first(&self.test, self.count)) })
    }

    /// The figures of test images changed by `corrupt`.
    ///
    /// # Errors
    /// As [`Self::figures`].
    pub fn corrupted(&self, corruption: &Corruption) -> Result<Figures> {
        self.figures(&self.of_test(&corruption.of(self.shape, self.first(&self.test, self.count))))
    }

    /// Some of the test images, for a page: the first `count` of the order they are used in, with their classes.
    pub fn some_test_images(&self, count: usize) -> (&[f32], Option<Labels>) {
        let count = count.min(self.test.len() / self.shape.len());
        (self.first(&self.test, count), self.test_labels.as_ref().map(|labels| labels.select(0..count)))
    }

    fn of_test<'a>(&'a self, images: &'a [f32]) -> Images<'a> {
        let asked = self
            .test_labels
            .as_ref()
            .map(|labels| &labels.values[..images.len() / self.shape.len() * labels.axes.len()]);
        Images { images, asked, unconditional: images, memorised: images, followed: None }
    }

    /// The first `count` images, or all if there are fewer.
    fn first<'a>(&self, images: &'a [f32], count: usize) -> &'a [f32] {
        &images[..images.len().min(count * self.shape.len())]
    }
}

/// Whether the images come class after class.
fn is_sorted(set: &Dataset) -> bool {
    set.labels.as_ref().is_some_and(|labels| (1..labels.len()).all(|i| labels.of(i - 1) <= labels.of(i)))
}

/// The set in another order, always the same: a set's parts may differ, as the two halves of MNIST's test set do.
fn shuffled(set: &Dataset) -> Dataset {
    let mut order: Vec<usize> = (0..set.len()).collect();
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
    Dataset {
        source: set.source.clone(),
        shape: set.shape,
        images: set.images.select(&order, set.shape.len()),
        labels: set.labels.as_ref().map(|labels| labels.select(order)),
        sound: set.sound,
    }
}

#[cfg(test)]
mod tests {
    use super::super::corruption;
    use super::*;
    use crate::data::digits;

    /// The digits' ruler, of a part of the training images: neighbours are sought among all of them.
    fn ruler(count: usize, evaluator: Option<Evaluator>) -> Ruler {
        let [mut train, mut test] = [digits::train().unwrap(), digits::test().unwrap()];
        for (set, len) in [(&mut train, 2500), (&mut test, 1500)] {
            set.images.truncate(len * set.shape.len());
            set.labels.as_mut().unwrap().values.truncate(len);
        }
        Ruler::new(evaluator, [&train, &test], count, 1).unwrap()
    }

    #[test]
    fn real_digits_are_near_and_corrupted_or_copied_ones_are_told() {
        let ruler = ruler(500, Some(Evaluator::digits().unwrap()));
        let real = ruler.real().unwrap();
        let noisy = ruler.corrupted(&corruption::all(None)[0]).unwrap();
        let distance = |figures: &Figures| figures.frechet_distance.unwrap().value;
        let value = |figure: Option<Estimate>| figure.unwrap().value;
        assert!(distance(&real) * 1.5 < distance(&noisy), "{real:?} {noisy:?}");
        assert!(value(real.class_accuracy) > 0.97 && ruler.test_accuracy().unwrap() > 0.97);
        assert!(value(real.class_total_variation) < 0.08 && real.class_shares.len() == 10);
        assert!(value(real.precision) > 0.7 && value(real.recall) > 0.7, "{real:?}");
        assert!((value(real.memorisation_ratio) - 1.0).abs() < 0.1);
        assert!(real.sliced_wasserstein.value < noisy.sliced_wasserstein.value + 0.5);
        assert!(1.3 * real.pyramid_wasserstein.value < noisy.pyramid_wasserstein.value, "{real:?} {noisy:?}");
        for estimate in [real.frechet_distance.unwrap(), real.pyramid_wasserstein, real.memorisation_ratio.unwrap()] {
            assert!(estimate.low < estimate.value && estimate.value < estimate.high);
        }

        // The training digits themselves, in the place of samples: as near as can be, and copies.
        let copies = ruler.first(&ruler.train, 500);
        let images = Images { images: copies, asked: None, unconditional: copies, memorised: copies, followed: None };
        let copied = ruler.figures(&images).unwrap();
        assert_eq!((value(copied.precision), value(copied.recall), value(copied.memorisation_ratio)), (1.0, 1.0, 0.0));
        assert_eq!((copied.sliced_wasserstein.value, copied.pyramid_wasserstein.value), (0.0, 0.0));
        assert!(copied.class_accuracy.is_none());

        // Background only: one class, far away, nothing covered.
        let empty = vec![-1.0; 200 * ruler.shape.len()];
        let images = Images { images: &empty, asked: None, unconditional: &empty, memorised: &empty, followed: None };
        let nothing = ruler.figures(&images).unwrap();
        assert!(distance(&nothing) > 10.0 * distance(&noisy));
        assert!(value(nothing.class_total_variation) > 0.8 && value(nothing.recall) == 0.0);
    }

    #[test]
    fn without_an_evaluator_there_are_figures_that_need_none() {
        let ruler = ruler(100, None);
        let figures = ruler.real().unwrap();
        assert!(figures.frechet_distance.is_none() && figures.precision.is_none() && figures.class_shares.is_empty());
        assert!(figures.pyramid_wasserstein.value > 0.0 && figures.memorisation_ratio.unwrap().value > 0.5);
    }
}
