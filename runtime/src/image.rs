//! Images that a caller gives to a chain: where image-to-image starts, and what inpainting keeps.

use crate::error::SamplerError;

/// An image, HWC, borrowed from the caller.
#[derive(Clone, Copy, Debug)]
pub enum Image<'a> {
    /// Values, about -1 to 1.
    Values(&'a [f32]),
    /// Pixels of 8 bits; byte b stands for b/127.5 − 1.
    Bytes(&'a [u8]),
}

impl Image<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::Values(values) => values.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Value number `index`, or `None` beyond the end.
    #[inline]
    pub fn value(&self, index: usize) -> Option<f32> {
        match self {
            Self::Values(values) => values.get(index).copied(),
            Self::Bytes(bytes) => bytes.get(index).map(|&byte| f32::from(byte) / 127.5 - 1.0),
        }
    }

    /// Value number `index` as a bit, by integers alone: whether it is above the middle.
    #[inline]
    pub fn bit(&self, index: usize) -> Option<bool> {
        match self {
            // Above 0, by its bits.
            Self::Values(values) => values.get(index).map(|value| value.to_bits() as i32 > 0),
            Self::Bytes(bytes) => bytes.get(index).map(|&byte| byte > 127),
        }
    }

    /// Refuses an image of another number of values.
    pub(crate) fn check(&self, needed: usize) -> Result<(), SamplerError> {
        let (needed, found) = (needed as u32, self.len() as u32);
        if found != needed {
            return Err(SamplerError::ImageLength { needed, found });
        }
        Ok(())
    }
}

/// Values that a chain is given: those of an image, all or what a mask names.
#[derive(Clone, Copy, Debug)]
pub struct Given<'s> {
    pub(crate) image: Image<'s>,
    /// The mask, and the channels of a pixel.
    pub(crate) mask: Option<(&'s [u8], usize)>,
}

impl<'s> Given<'s> {
    /// All of an image.
    pub(crate) fn all(image: Image<'s>) -> Self {
        Self { image, mask: None }
    }

    fn has(&self, index: usize) -> bool {
        let Some((mask, channels)) = self.mask else { return true };
        let Some(pixel) = index.checked_div(channels) else { return false };
        mask.get(pixel / 8).is_some_and(|byte| byte >> (pixel % 8) & 1 == 1)
    }

    /// Value number `index`, where it is given.
    #[inline]
    pub(crate) fn value(&self, index: usize) -> Option<f32> {
        self.image.value(index).filter(|_| self.has(index))
    }

    /// The same as a bit.
    #[inline]
    pub(crate) fn bit(&self, index: usize) -> Option<bool> {
        self.image.bit(index).filter(|_| self.has(index))
    }
}
