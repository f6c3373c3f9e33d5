//! What a network that reads images is taught.
use super::alteration;
use crate::data::{Axis, Dataset, Labels};
use crate::graph::Shape;
use rand_chacha::ChaCha8Rng;

/// What a network that reads images is taught: a class an image of every head.
#[derive(Clone, Copy, Debug)]
pub enum Lesson<'a> {
    /// The images' labels, one head an axis.
    Labels(&'a Labels),
    /// Without labels: how each image was altered before the network saw it (self-supervision). One head an alteration.
    Alterations,
}

impl<'a> Lesson<'a> {
    /// The labels of the data, if any axis has two classes that occur; else alterations.
    pub fn of(data: &'a Dataset) -> Self {
        let tells = |labels: &&Labels| {
            (0..labels.axes.len()).any(|axis| labels.counts(axis).iter().filter(|count| **count > 0).count() > 1)
        };
        data.labels.as_ref().filter(tells).map_or(Self::Alterations, Self::Labels)
    }

    /// The labels, if these are the lesson.
    pub fn labels(self) -> Option<&'a Labels> {
        match self {
            Self::Labels(labels) => Some(labels),
            Self::Alterations => None,
        }
    }

    /// It in words: what is learned.
    pub fn summary(self) -> String {
        match self {
            Self::Labels(labels) => {
                let axis = |axis: &Axis| format!("{} ({} classes)", axis.name, axis.classes.len());
                labels.axes.iter().map(axis).collect::<Vec<_>>().join(", ")
            }
            Self::Alterations => "without labels, how images were altered".into(),
        }
    }

    /// The number of classes of each head, for images of `shape`.
    pub fn heads(self, shape: Shape) -> Vec<usize> {
        match self {
            Self::Labels(labels) => labels.axes.iter().map(|axis| axis.classes.len()).collect(),
            Self::Alterations => alteration::heads(shape),
        }
    }

    /// Prepares `pixels`, those of the image with number `image`, and adds its class for each head to `classes`.
    pub fn take(self, image: usize, shape: Shape, pixels: &mut [f32], rng: &mut ChaCha8Rng, classes: &mut Vec<u8>) {
        match self {
            Self::Labels(labels) => classes.extend(labels.of(image)),
            Self::Alterations => alteration::alter(shape, pixels, rng, classes),
        }
    }
}
