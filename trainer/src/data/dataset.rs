//! A data set in memory.
use super::labels::{Axis, Labels};
use super::pixels::Pixels;
use crate::graph::Shape;
use crate::{Error, Result};
use rand::{seq::SliceRandom, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// Images of one shape, all in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct Dataset {
    /// Where the images came from, for reports and for finding them again.
    pub source: String,
    /// Shape of one image.
    pub shape: Shape,
    /// All images, NHWC in [-1, 1].
    pub images: Pixels,
    /// What the images show, if known.
    pub labels: Option<Labels>,
    /// What they are where they are sound, in signals of height 1; `None` for pictures and numbers.
    pub sound: Option<Sound>,
}

/// What signals are as sound.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sound {
    /// Samples a second.
    pub rate: u32,
    /// The factor by which the values have unit variance: peaks of sound are high, so that most of it lies near 0.
    pub scale: f64,
}

impl Dataset {
    /// A data set from its parts, with everything checked that later code relies on.
    pub(super) fn checked(
        path: &Path,
        shape: Shape,
        images: impl Into<Pixels>,
        labels: Option<Labels>,
    ) -> Result<Self> {
        let set = Self { source: path.display().to_string(), shape, images: images.into(), labels, sound: None };
        if shape.is_empty() || set.is_empty() {
            return Err(Error::file(path, "holds no images"));
        }
        if let Pixels::Floats(values) = &set.images {
            if let Some(i) = values.iter().position(|v| !v.is_finite()) {
                return Err(Error::file(path, format!("image {} holds a value that is not a number", i / shape.len())));
            }
            if let Some(i) = values.iter().position(|v| v.abs() > 1.0 + 1e-4) {
                let what = format!("image {} holds {}; values must lie in [-1, 1]", i / shape.len(), values[i]);
                return Err(Error::file(path, what));
            }
        }
        if let Some(labels) = &set.labels {
            labels.check(path, set.len())?;
        }
        Ok(set)
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.images.len() / self.shape.len()
    }

    /// Whether there is no image.
    pub fn is_empty(&self) -> bool {
        self.images.is_empty()
    }

    /// How many of the images are among those of `others`, which have the same shape.
    pub fn copies_of(&self, others: &Self) -> usize {
        let bits = |image: Cow<'_, [f32]>| image.iter().map(|value| value.to_bits()).collect::<Vec<u32>>();
        let mut apart: HashMap<Vec<u32>, usize> = HashMap::new();
        (0..self.len()).for_each(|i| *apart.entry(bits(self.image(i))).or_default() += 1);
        (0..others.len()).filter_map(|i| apart.remove(&bits(others.image(i)))).sum()
    }

    /// Whether all images are equal.
    pub fn all_equal(&self) -> bool {
        fn equal<T: PartialEq>(values: &[T], len: usize) -> bool {
            values.chunks_exact(len).all(|image| *image == values[..len])
        }
        match &self.images {
            Pixels::Bytes(bytes) => equal(bytes, self.shape.len()),
            Pixels::Floats(values) => equal(values, self.shape.len()),
        }
    }

    /// Whether all channels of every pixel are equal.
    pub fn is_gray(&self) -> bool {
        fn gray<T: PartialEq>(values: &[T], channels: usize) -> bool {
            values.chunks_exact(channels).all(|pixel| pixel.iter().all(|value| *value == pixel[0]))
        }
        match &self.images {
            Pixels::Bytes(bytes) => gray(bytes, self.shape.channels),
            Pixels::Floats(values) => gray(values, self.shape.channels),
        }
    }

    /// The values of image `i` in [-1, 1], copied where they are stored as bytes.
    pub fn image(&self, i: usize) -> Cow<'_, [f32]> {
        self.images.range(i * self.shape.len()..(i + 1) * self.shape.len())
    }

    /// The axes of the labels; none without labels.
    pub fn axes(&self) -> &[Axis] {
        self.labels.as_ref().map_or(&[], |labels| &labels.axes)
    }

    /// Number of classes on all axes together, 0 without labels.
    pub fn classes(&self) -> usize {
        self.axes().iter().map(|axis| axis.classes.len()).sum()
    }

    /// The classes of image `i`, one an axis; empty without labels.
    pub fn condition(&self, i: usize) -> Vec<Option<usize>> {
        self.labels.iter().flat_map(|labels| labels.of(i)).map(|class| Some(usize::from(*class))).collect()
    }

    /// The class of every image, where there is one axis.
    pub fn single_labels(&self) -> Option<&[u8]> {
        self.labels.as_ref().and_then(Labels::single)
    }

    /// The images but `share` of them, and those that are left out, at least one. The choice depends on the number of
    /// images alone.
    pub fn hold_out(&self, share: f64) -> [Self; 2] {
        let mut order: Vec<usize> = (0..self.len()).collect();
        order.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        let held_out = ((self.len() as f64 * share).round() as usize).clamp(1, self.len());
        let (held_out, kept) = order.split_at_mut(held_out);
        // Those that are kept stay in their order.
        kept.sort_unstable();
        [kept, held_out].map(|part| Self {
            source: self.source.clone(),
            shape: self.shape,
            images: self.images.select(part, self.shape.len()),
            labels: self.labels.as_ref().map(|labels| labels.select(part.iter().copied())),
            sound: self.sound,
        })
    }

    /// CRC-32 over shape, images and labels, by which a resumed run knows its data again.
    pub fn digest(&self) -> u32 {
        self.digests()[0]
    }

    /// [`Self::digest`], and the same without the labels.
    pub fn digests(&self) -> [u32; 2] {
        let mut crc = flate2::Crc::new();
        for size in [self.shape.height, self.shape.width, self.shape.channels] {
            crc.update(&(size as u64).to_le_bytes());
        }
        let mut bytes = Vec::new();
        for block in self.images.chunks(4096) {
            bytes.clear();
            block.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            crc.update(&bytes);
        }
        let images = crc.sum();
        self.labels.iter().flat_map(Labels::digested).for_each(|bytes| crc.update(bytes));
        [crc.sum(), images]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn held_out_images_are_the_same_every_time() {
        let images = (0..40).flat_map(|i| [i as f32 / 40.0; 4]).collect();
        let labels = Some(Labels::numbered((0..40).collect()));
        let set = Dataset { source: "t".into(), shape: Shape::new(2, 2, 1), images, labels, sound: None };
        let [kept, held_out] = set.hold_out(0.25);
        assert_eq!((kept.len(), held_out.len()), (30, 10));
        assert_eq!([kept.clone(), held_out.clone()], set.hold_out(0.25));
        let mut all: Vec<u8> =
            [&kept, &held_out].into_iter().flat_map(|part| part.single_labels().unwrap()).copied().collect();
        all.sort_unstable();
        assert_eq!(all, (0..40).collect::<Vec<u8>>());
        for part in [&kept, &held_out] {
            for (i, label) in part.single_labels().unwrap().iter().enumerate() {
                assert_eq!(part.image(i), set.image(usize::from(*label)), "labels stay with their images");
            }
        }
        assert_eq!(set.hold_out(1e-6)[1].len(), 1);
    }
}
