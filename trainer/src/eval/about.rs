//! What an evaluator was made of, as it stands in its file.
use super::architecture::Architecture;
use crate::data::{labels, Axis, Options, Sound};
use crate::graph::Shape;
use crate::recognition::{Lesson, View};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What an evaluator was made of. Stands in the file of its weights as TOML.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Where the images came from.
    pub data: String,
    /// How they were read.
    #[serde(default, skip_serializing_if = "Options::is_usual")]
    pub data_options: Options,
    /// [`Dataset::digest`](crate::data::Dataset::digest) of the images with their labels.
    pub data_digest: u32,
    /// The same of the images alone.
    pub images_digest: u32,
    /// Where the images that nothing is trained on came from; if nowhere, they are a share of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// [`Dataset::digest`](crate::data::Dataset::digest) of these.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_digest: Option<u32>,
    /// The share of `data` that was held out, where there is no `test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_out: Option<f64>,
    /// Height, width and channels of an image.
    pub image: [usize; 3],
    /// What the data are as sound, if they are sound: the evaluator then sees log-mel spectrograms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sound: Option<Sound>,
    /// The axes of the labels that it tells; where there are none it tells alterations.
    #[serde(rename = "classes", with = "labels::text")]
    pub axes: Vec<Axis>,
    /// Passes over the data.
    pub epochs: usize,
    /// Seed of everything random.
    pub seed: u64,
}

impl About {
    /// Whether data of this [`Dataset::digest`](crate::data::Dataset::digest) are the same images, with the same labels or none.
    pub fn is_of(&self, digest: u32) -> bool {
        digest == self.data_digest || digest == self.images_digest
    }

    /// Shape of one image.
    pub fn shape(&self) -> Shape {
        let [height, width, channels] = self.image;
        Shape::new(height, width, channels)
    }

    /// What the evaluator sees of the data.
    pub fn view(&self) -> View {
        View::new(self.shape(), self.sound)
    }

    /// The network, and the number of classes of each of its heads.
    pub(super) fn architecture(&self) -> Result<(Architecture, Vec<usize>)> {
        if self.image.contains(&0) || self.shape().len() > 1 << 24 {
            return Err(Error::Invalid(format!("the evaluator is one of images of {}", self.shape())));
        }
        let audible =
            |sound: &Sound| (1..=1 << 20).contains(&sound.rate) && sound.scale > 0.0 && sound.scale.is_finite();
        if self.sound.is_some_and(|sound| !audible(&sound) || self.image[0] != 1 || self.image[2] != 1) {
            return Err(Error::Invalid(format!(
                "the evaluator is one of sounds of {}: {:?}",
                self.shape(),
                self.sound
            )));
        }
        let seen = self.view().shape();
        let heads = match self.axes.is_empty() {
            true => Lesson::Alterations.heads(seen),
            false => self.axes.iter().map(|axis| axis.classes.len()).collect(),
        };
        Ok((Architecture::new(seen, heads.iter().sum())?, heads))
    }
}
