//! The data that samples are compared with, and which evaluator fits a model.
use super::about::About;
use super::evaluator::Evaluator;
use super::source::Origin;
use crate::data::{built_in, recorded, Dataset, Opened, Options, BUILT_IN};
use crate::recognition::Lesson;
use crate::report::progress::opened;
use crate::{Error, Result};
use std::path::Path;

/// The images to compare with, and others that nothing is trained on.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The images that samples should be like.
    pub train: Dataset,
    /// Others.
    pub test: Dataset,
    /// How they were read.
    pub options: Options,
    /// What was read, as [`Opened::lines`] tells it.
    pub lines: Vec<String>,
    /// The share of the data that the others are, if they are no set of their own.
    pub held_out: Option<f64>,
    /// [`Dataset::digest`] of the data, with what is held out.
    pub digest: u32,
    /// The same of the images alone.
    pub images_digest: u32,
}

/// The share of the data that is held out where there are no test images.
pub const HELD_OUT: f64 = 0.1;
/// Fewest images that are held out.
const FEWEST: usize = 4;

impl Subject {
    /// Training and test images of `data`: a share held out of them if one is given, or the images of `test`, or those
    /// that belong to a built-in data set, or the usual share.
    ///
    /// # Errors
    /// Data that cannot be read or are too few.
    pub fn open(data: &str, options: &Options, test: Option<&str>, held_out: Option<f64>) -> Result<Self> {
        Self::with(opened(data, options)?, data, options, test, held_out)
    }

    /// As [`Self::open`], of data that are read.
    fn with(
        opened_data: Opened,
        data: &str,
        options: &Options,
        test: Option<&str>,
        held_out: Option<f64>,
    ) -> Result<Self> {
        let mut lines = opened_data.lines();
        let train = opened_data.data;
        let test = match (test, built_in(data)?) {
            _ if held_out.is_some() => None,
            (Some(test), _) => Some(match BUILT_IN.iter().find(|set| test == format!("{} (test)", set.name)) {
                Some(set) => (set.test)(options)?.data,
                None => {
                    let opened_test = opened(test, options)?;
                    lines.extend(opened_test.lines());
                    opened_test.data
                }
            }),
            // Scaled data are not what the test images belong to.
            (None, Some(set)) => Some((set.test)(options)?.data).filter(|test| test.shape == train.shape),
            (None, None) => None,
        };
        let Some(test) = test else {
            let split = Self::split(&train, options, held_out.unwrap_or(HELD_OUT))?;
            return Ok(Self { lines, ..split });
        };
        if test.shape != train.shape {
            let what = format!("holds images of {}, but {data} holds such of {}", test.shape, train.shape);
            return Err(Error::file(&test.source, what));
        }
        let [digest, images_digest] = train.digests();
        Ok(Self { train, test, options: options.clone(), lines, held_out: None, digest, images_digest })
    }

    /// A share of `data` held out of them.
    ///
    /// # Errors
    /// Too few images.
    pub fn split(data: &Dataset, options: &Options, held_out: f64) -> Result<Self> {
        let [train, test] = data.hold_out(held_out);
        if test.len() < FEWEST || train.len() < 2 * FEWEST {
            return Err(Error::file(
                &data.source,
                format!(
                    "{} images are too few: {} would be held out, and figures need {FEWEST}",
                    data.len(),
                    test.len()
                ),
            ));
        }
        let [digest, images_digest] = data.digests();
        let (options, lines) = (options.clone(), Vec::new());
        Ok(Self { train, test, options, lines, held_out: Some(held_out), digest, images_digest })
    }

    /// The data that an evaluator was made of; `data` and `test` say where they lie now, if elsewhere.
    ///
    /// # Errors
    /// Data that cannot be read, or are others.
    pub fn of(about: &About, data: Option<&str>, test: Option<&str>) -> Result<Self> {
        let source = data.map_or_else(|| recorded(&about.data), str::to_owned);
        let found = opened(&source, &about.data_options)?;
        let other = |(option, given): (&str, Option<&str>), source: &str, found: &Dataset, known: &str| {
            let [height, width, channels] = about.image;
            let remedy = match given {
                Some(_) => format!("leave {option} out, or say with it where those lie now"),
                None => format!("say with {option} where those lie now"),
            };
            let what = format!(
                "holds {} images of {}; these or their labels are not those that the evaluator was made of, {known:?} \
                 of {height}x{width}x{channels}; {remedy}",
                found.len(),
                found.shape
            );
            Err(Error::file(source, what))
        };
        if found.data.digest() != about.data_digest {
            return other(("--data", data), &source, &found.data, &about.data);
        }
        let others = test.or(about.test.as_deref());
        let subject = Self::with(found, &source, &about.data_options, others, about.held_out)?;
        match others {
            Some(others) if about.test_digest != Some(subject.test.digest()) => {
                other(("--test", test), others, &subject.test, about.test.as_ref().unwrap_or(&about.data))
            }
            _ => Ok(subject),
        }
    }

    /// The root mean square that recordings were brought to, if they were: samples are brought to it, too.
    pub fn level(&self) -> Option<f32> {
        self.train.sound.and_then(|_| self.options.sound.level()).map(|level| level as f32)
    }

    /// The same with every image as bits.
    pub fn binarised(&self) -> Self {
        Self { train: self.train.binarised(), test: self.test.binarised(), ..self.clone() }
    }

    /// What an evaluator that is made of its training images says of itself.
    pub fn about(&self, epochs: usize, seed: u64) -> About {
        let Self { train, test, options, held_out, digest, images_digest, .. } = self;
        let own_test = held_out.is_none().then_some(test);
        About {
            data: train.source.clone(),
            data_options: options.clone(),
            data_digest: *digest,
            images_digest: *images_digest,
            test: own_test.map(|test| test.source.clone()),
            test_digest: own_test.map(Dataset::digest),
            held_out: *held_out,
            image: [train.shape.height, train.shape.width, train.shape.channels],
            sound: train.sound,
            axes: Lesson::of(train).labels().map(|labels| labels.axes.clone()).unwrap_or_default(),
            epochs,
            seed,
        }
    }
}

/// The evaluator for a model: that in the file `judge`, or the one that is built in for its data. `given` is what
/// `--data` says of where these lie, if anything.
///
/// # Errors
/// A model of other data than the evaluator, or none for its data.
pub fn evaluator(model: &Path, judge: Option<&Path>, given: Option<&str>) -> Result<Evaluator> {
    let origin = Origin::of(model)?;
    let evaluator = judge.map_or_else(Evaluator::digits, Evaluator::open)?;
    let about = evaluator.about();
    let made_of = origin.config.as_ref().map(|config| (&config.data, config.data_digest));
    let options = origin.config.as_ref().map(|config| config.data_options.arguments()).unwrap_or_default();
    let classes: usize = about.axes.iter().map(|axis| axis.classes.len()).sum();
    let fits = origin.shape == about.image
        && match made_of {
            Some((_, digest)) => about.is_of(digest),
            // The file does not say what it was made of.
            None => origin.classes == 0 || origin.classes == classes,
        };
    if fits {
        return Ok(evaluator);
    }
    let [height, width, channels] = origin.shape;
    let (what, data) = match made_of {
        Some((data, _)) => (format!("was trained on {data:?}"), data.as_str()),
        None => (format!("makes images of {height}x{width}x{channels}"), "DATA"),
    };
    let with = |options: &str| if options.is_empty() { String::new() } else { format!(" {options}") };
    let remedy = format!(
        "`trainer judge --data {data}{} --out judge.safetensors` makes one for it, `--judge` takes it",
        with(&options)
    );
    Err(Error::file(
        model,
        match judge {
            Some(judge) => {
                let others = about.data_options.arguments();
                let how =
                    if others == options { String::new() } else { format!(", read {}", with_or_without(&others)) };
                format!("{what}, but the evaluator {} was made of {:?}{how}; {remedy}", judge.display(), about.data)
            }
            None => {
                let other = given.filter(|given| made_of.is_some() && recorded(given) != recorded(data));
                let not = match other {
                    Some(given) => format!(" and not on --data {given:?}; for its data"),
                    None => ", for which".into(),
                };
                format!("{what}{not} no evaluator is built in; {remedy}")
            }
        },
    ))
}

/// How data were read, in words.
fn with_or_without(options: &str) -> String {
    if options.is_empty() {
        "without options".into()
    } else {
        format!("with {options}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::digits;

    #[test]
    fn the_evaluator_of_digits_finds_its_data_and_no_other() {
        let about = Evaluator::digits().unwrap().about().clone();
        let found = Subject::of(&about, None, None).unwrap();
        assert_eq!((found.train.len(), &found.test), (10_000, &digits::test().unwrap()));
        assert!(Subject::of(&about, Some("builtin:digits"), None).is_ok());
        let error = Subject::of(&about, Some("faces16"), None).unwrap_err().to_string();
        for part in ["faces16: holds 10000 images of 16x16x3", "made of, \"digits\" of 28x28x1", "leave --data out"] {
            assert!(error.contains(part), "{part}: {error}");
        }
        assert!(about.is_of(about.data_digest));
        let unlabelled = Dataset { labels: None, ..digits::train().unwrap() };
        assert!(about.is_of(unlabelled.digest()), "labels are no other images");
        assert!(!about.is_of(about.data_digest ^ 1));
    }

    #[test]
    fn a_share_is_held_out_and_too_few_are_refused() {
        let data = digits::train().unwrap();
        let some = |count: usize| {
            let order: Vec<usize> = (0..count).collect();
            Dataset { images: data.images.select(&order, data.shape.len()), labels: None, ..data.clone() }
        };
        let found = Subject::split(&some(50), &Options::default(), HELD_OUT).unwrap();
        assert_eq!((found.train.len(), found.test.len()), (45, 5));
        assert!(Subject::split(&some(20), &Options::default(), HELD_OUT)
            .unwrap_err()
            .to_string()
            .contains("20 images are too few"));
    }
}
