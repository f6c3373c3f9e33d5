//! The values of images in memory: bytes where the source has bytes, since these take a quarter of the place.
use std::borrow::Cow;
use std::ops::Range;

/// Values of images, one after the other, which are read as f32 in [-1, 1].
#[derive(Clone, Debug, PartialEq)]
pub enum Pixels {
    /// 8 bits a value: 0 is −1, 255 is 1.
    Bytes(Vec<u8>),
    /// The values themselves.
    Floats(Vec<f32>),
}

impl Pixels {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Floats(values) => values.len(),
        }
    }

    /// Whether there is no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of a range, copied where they are stored as bytes.
    ///
    /// # Panics
    /// A range that is not inside.
    pub fn range(&self, range: Range<usize>) -> Cow<'_, [f32]> {
        match self {
            Self::Bytes(bytes) => bytes[range].iter().map(|byte| from_byte(*byte)).collect(),
            Self::Floats(values) => Cow::Borrowed(&values[range]),
        }
    }

    /// All values.
    pub fn to_vec(&self) -> Vec<f32> {
        self.range(0..self.len()).into_owned()
    }

    /// Blocks of `len` values, the last one with what is left; of [`Self::range`].
    ///
    /// # Panics
    /// A `len` of 0.
    pub fn chunks(&self, len: usize) -> impl Iterator<Item = Cow<'_, [f32]>> {
        (0..self.len()).step_by(len).map(move |start| self.range(start..(start + len).min(self.len())))
    }

    /// The images with these numbers, where an image has `len` values.
    ///
    /// # Panics
    /// An image that is not there.
    pub fn select(&self, images: &[usize], len: usize) -> Self {
        fn picked<T: Copy>(values: &[T], images: &[usize], len: usize) -> Vec<T> {
            images.iter().flat_map(|i| &values[i * len..(i + 1) * len]).copied().collect()
        }
        match self {
            Self::Bytes(bytes) => Self::Bytes(picked(bytes, images, len)),
            Self::Floats(values) => Self::Floats(picked(values, images, len)),
        }
    }

    /// Shortens the images to the first `len` values, if there are more.
    pub fn truncate(&mut self, len: usize) {
        match self {
            Self::Bytes(bytes) => bytes.truncate(len),
            Self::Floats(values) => values.truncate(len),
        }
    }
}

impl From<Vec<f32>> for Pixels {
    fn from(values: Vec<f32>) -> Self {
        Self::Floats(values)
    }
}

impl FromIterator<f32> for Pixels {
    fn from_iter<I: IntoIterator<Item = f32>>(values: I) -> Self {
        Self::Floats(values.into_iter().collect())
    }
}

impl From<Vec<u8>> for Pixels {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

/// A pixel of 8 bits as a value in [-1, 1].
pub fn from_byte(byte: u8) -> f32 {
    (f32::from(byte) / 127.5) - 1.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_as_the_values_they_stand_for() {
        let bytes = Pixels::from(vec![0u8, 255, 51, 204, 7]);
        let floats = Pixels::from(bytes.to_vec());
        assert_eq!(floats.to_vec()[..3], [-1.0, 1.0, 51.0 / 127.5 - 1.0]);
        assert_ne!(bytes, floats);
        for mut pixels in [bytes, floats] {
            assert_eq!((pixels.len(), pixels.is_empty()), (5, false));
            assert_eq!(pixels.range(1..3)[..], pixels.to_vec()[1..3]);
            assert_eq!(pixels.chunks(2).map(|c| c.len()).collect::<Vec<_>>(), [2, 2, 1]);
            assert_eq!(pixels.select(&[1, 0], 2).to_vec(), [&pixels.range(2..4)[..], &pixels.range(0..2)].concat());
            pixels.truncate(1);
            assert_eq!(pixels.to_vec(), [-1.0]);
        }
    }
}
