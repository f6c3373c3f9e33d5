//! An evaluator: the frozen network whose hidden layer is the space in which samples are compared with the data.
use super::about::About;
use super::architecture::Architecture;
use crate::autograd::cross_entropy::parts;
use crate::data::{Axis, Options};
use crate::recognition::View;
use crate::{Error, Result};
use safetensors::{tensor::TensorView, Dtype, SafeTensors};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;

/// The weights for digits that come with the program. They were made before files said what they were made of.
const DIGITS: &[u8] = include_bytes!("../../assets/classifier/digits.safetensors");
/// SHA-256 of [`DIGITS`].
const DIGITS_SHA256: &str = include_str!("../../assets/classifier/digits.sha256");

/// Where a file's metadata say, in a first line, the SHA-256 of its weights, in the order of the architecture's layout,
/// and below what it was made of.
const ABOUT: &str = "brownian.evaluator";

/// What the evaluator makes of a set of images.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// [`FEATURES`](super::FEATURES) values an image.
    pub features: Vec<f32>,
    /// The most likely class of every image on every axis; of an evaluator that tells alterations, each of these.
    pub classes: Vec<u8>,
}

/// An evaluator with its weights.
#[derive(Clone, Debug)]
pub struct Evaluator {
    about: About,
    view: View,
    architecture: Architecture,
    heads: Vec<usize>,
    params: Vec<f32>,
    sha256: String,
}

impl Evaluator {
    /// The evaluator of digits that comes with the program.
    ///
    /// # Errors
    /// Weights whose hash is not the recorded one; none in practice.
    pub fn digits() -> Result<Self> {
        let this = Self::read_bytes(DIGITS, Some(digits_about()))?;
        if this.sha256 != DIGITS_SHA256.trim() {
            let expected = DIGITS_SHA256.trim();
            return Err(Error::Invalid(format!(
                "the evaluator's weights have the hash {}, but {expected} was recorded",
                this.sha256
            )));
        }
        Ok(this)
    }

    /// Opens a file that `trainer judge` wrote.
    ///
    /// # Errors
    /// A file that cannot be read or is no such file.
    pub fn open(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        Self::from_bytes(&bytes).map_err(|e| Error::file(path, e))
    }

    /// Reads the bytes of such a file.
    ///
    /// # Errors
    /// Bytes that are no such file.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::read_bytes(bytes, None)
    }

    fn read_bytes(bytes: &[u8], about: Option<About>) -> Result<Self> {
        let wrong = |what: String| Error::Invalid(format!("is not a file that `trainer judge` wrote: {what}"));
        let file = SafeTensors::deserialize(bytes).map_err(|e| wrong(e.to_string()))?;
        let mut recorded = None;
        let about = match about {
            Some(about) => about,
            None => {
                let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| wrong(e.to_string()))?;
                let text = header.metadata().as_ref().and_then(|metadata| metadata.get(ABOUT));
                let text = text.ok_or_else(|| wrong(format!("it has no metadata {ABOUT:?}")))?;
                let (weights, text) = text.split_once('\n').unwrap_or_default();
                if weights.len() != 64 {
                    return Err(wrong(
                        "it is of an earlier version and holds no hash of its weights; make it anew".into(),
                    ));
                }
                recorded = Some(weights.to_owned());
                toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?
            }
        };
        let (architecture, heads) = about.architecture()?;
        let mut params = Vec::with_capacity(architecture.params.len());
        for block in &architecture.params.blocks {
            let tensor = file.tensor(&block.name).map_err(|e| wrong(format!("{}: {e}", block.name)))?;
            if tensor.dtype() != Dtype::F32 || tensor.shape() != block.shape {
                return Err(wrong(format!("{} is not f32 of {:?}", block.name, block.shape)));
            }
            params.extend(tensor.data().as_chunks::<4>().0.iter().map(|v| f32::from_le_bytes(*v)));
        }
        if recorded.is_some_and(|recorded| recorded != sha256_of(&bytes_of(&params))) {
            return Err(wrong("its weights are not those that were written; make it anew".into()));
        }
        if params.iter().any(|v| !v.is_finite()) {
            return Err(wrong("it holds weights that are not numbers".into()));
        }
        let view = about.view();
        Ok(Self { about, view, architecture, heads, params, sha256: sha256_of(bytes) })
    }

    /// The bytes of a file with these parameters, in the order of the architecture's layout.
    ///
    /// # Errors
    /// None for parameters of the right number.
    pub(super) fn encode(about: &About, params: &[f32]) -> Result<Vec<u8>> {
        let fail = |e: String| Error::Invalid(format!("the evaluator cannot be encoded: {e}"));
        let layout = about.architecture()?.0.params;
        let bytes = bytes_of(params);
        let mut views = vec![];
        for block in &layout.blocks {
            let data = &bytes[block.range.start * 4..block.range.end * 4];
            let view = TensorView::new(Dtype::F32, block.shape.clone(), data).map_err(|e| fail(e.to_string()))?;
            views.push((block.name.clone(), view));
        }
        let text = toml::to_string(about).map_err(|e| fail(e.to_string()))?;
        let metadata = HashMap::from([(ABOUT.to_owned(), format!("{}\n{text}", sha256_of(&bytes)))]);
        safetensors::serialize(views, Some(metadata)).map_err(|e| fail(e.to_string()))
    }

    /// What it was made of.
    pub fn about(&self) -> &About {
        &self.about
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// The number of classes of each axis that it tells; none of an evaluator that tells alterations.
    pub fn heads(&self) -> &[usize] {
        match self.about.axes.is_empty() {
            true => &[],
            false => &self.heads,
        }
    }

    /// Features and classes of images (NHWC in [-1, 1]), or signals, of the shape that it is made for.
    pub fn read(&self, images: &[f32]) -> Reading {
        let [features, logits] = self.architecture.read(&self.params, &self.view.of(images));
        let rows = logits.chunks_exact(self.heads.iter().sum::<usize>().max(1));
        let classes = rows.flat_map(|row| parts(&self.heads).map(|head| most_likely(&row[head]))).collect();
        Reading { features, classes }
    }

    /// The share of `images` of which it tells the class of each axis right, with the axis's name.
    pub fn accuracies(&self, images: &[f32], classes: &[u8]) -> Vec<(String, f64)> {
        let (found, axes) = (self.read(images).classes, self.heads.len());
        let share = |axis: usize| {
            let right = axis_right(&found, classes, axes, axis);
            right.iter().filter(|right| **right).count() as f64 / right.len().max(1) as f64
        };
        self.about.axes.iter().enumerate().map(|(axis, of)| (of.name.clone(), share(axis))).collect()
    }

    /// The share of `images` of which it tells all `classes` right, one for each image and axis.
    pub fn accuracy(&self, images: &[f32], classes: &[u8]) -> f64 {
        let right = all_right(&self.read(images).classes, classes, self.heads.len());
        right.iter().filter(|right| **right).count() as f64 / right.len().max(1) as f64
    }
}

/// Whether each image's classes are all those that are wanted, of `axes` axes.
pub fn all_right(found: &[u8], wanted: &[u8], axes: usize) -> Vec<bool> {
    found.chunks_exact(axes).zip(wanted.chunks_exact(axes)).map(|(found, wanted)| found == wanted).collect()
}

/// Whether each image's class of one axis is that which is wanted, of `axes` axes.
pub fn axis_right(found: &[u8], wanted: &[u8], axes: usize, axis: usize) -> Vec<bool> {
    found.chunks_exact(axes).zip(wanted.chunks_exact(axes)).map(|(found, wanted)| found[axis] == wanted[axis]).collect()
}

/// What the evaluator of digits was made of: [`digits::train`], with [`digits::test`] kept apart.
fn digits_about() -> About {
    About {
        data: "digits".into(),
        data_options: Options::default(),
        data_digest: 2_643_094_850,
        images_digest: 1_504_455_385,
        test: Some("digits (test)".into()),
        test_digest: Some(917_477_099),
        held_out: None,
        image: [28, 28, 1],
        sound: None,
        axes: vec![Axis::numbered(10)],
        epochs: 25,
        seed: 0,
    }
}

/// The index of the largest logit.
fn most_likely(logits: &[f32]) -> u8 {
    let mut best = 0;
    for (k, logit) in logits.iter().enumerate() {
        if *logit > logits[best] {
            best = k;
        }
    }
    best as u8
}

/// The bytes of numbers, little-endian.
fn bytes_of(params: &[f32]) -> Vec<u8> {
    params.iter().flat_map(|v| v.to_le_bytes()).collect()
}

/// The SHA-256 of bytes in hexadecimal.
fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::subject::Subject;
    use super::*;
    use crate::data::digits;

    #[test]
    fn reads_the_test_set() {
        let (evaluator, test) = (Evaluator::digits().unwrap(), digits::test().unwrap());
        let accuracy = evaluator.accuracy(&test.images.to_vec(), &test.labels.unwrap().values);
        assert!(accuracy >= 0.985, "{accuracy}");
    }

    #[test]
    fn digits_are_what_they_were() {
        let found = Subject::open("digits", &Options::default(), None, None).unwrap().about(25, 0);
        assert_eq!(digits_about(), found);
    }

    #[test]
    fn other_files_are_refused() {
        let reason = |bytes: &[u8]| Evaluator::from_bytes(bytes).unwrap_err().to_string();
        assert!(reason(b"no weights").contains("is not a file that `trainer judge` wrote"));
        assert!(reason(DIGITS).contains("no metadata"));
        let about = digits_about();
        let file = Evaluator::encode(&about, &about.architecture().unwrap().0.params.init(1)).unwrap();
        assert_eq!(Evaluator::from_bytes(&file).unwrap().about(), &about);
        let text = toml::to_string(&About { image: [28, 28, 3], ..about }).unwrap();
        let hash = sha256_of(b"");
        let metadata = HashMap::from([(ABOUT.to_owned(), format!("{hash}\n{text}"))]);
        let empty = safetensors::serialize(Vec::<(String, TensorView)>::new(), Some(metadata)).unwrap();
        assert!(reason(&empty).contains("conv1.weight"));
        let metadata = HashMap::from([(ABOUT.to_owned(), text)]);
        let earlier = safetensors::serialize(Vec::<(String, TensorView)>::new(), Some(metadata)).unwrap();
        assert!(reason(&earlier).contains("of an earlier version"), "{}", reason(&earlier));
        let mut flipped = file.clone();
        *flipped.last_mut().unwrap() ^= 1;
        assert!(reason(&flipped).contains("not those that were written"));
    }
}
