//! Inpainting: what a chain keeps of an image.

use crate::error::SamplerError;
use crate::format::CRC;
use crate::image::{Given, Image};
use crate::model::Model;
use crate::plan::STEP_LEN;
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::random::Stream;

/// What inpainting keeps: the pixels of `image` that `mask` names. The others are drawn to suit them.
#[derive(Clone, Copy, Debug)]
pub struct KnownPixels<'a> {
    /// The image; what it holds at pixels that are to be drawn does not matter.
    pub image: Image<'a>,
    /// The inpainting mask: one bit a pixel, in rows from the top left, the lowest bit of the first byte first; 1 keeps
    /// the pixel. It has [`mask_len`] bytes.
    pub mask: &'a [u8],
}

/// Bytes of a mask over `pixels` pixels.
pub const fn mask_len(pixels: usize) -> usize {
    pixels.div_ceil(8)
}

impl KnownPixels<'_> {
    fn given(&self, channels: usize) -> Given<'_> {
        Given { image: self.image, mask: Some((self.mask, channels)) }
    }

    /// The value of element `index` of an image with `channels` channels, where it is kept.
    #[inline]
    fn value(&self, index: usize, channels: usize) -> Option<f32> {
        self.given(channels).value(index)
    }

    fn check(&self, model: &Model) -> Result<(), SamplerError> {
        self.image.check(model.sample_len())?;
        let [height, width, _] = model.shape();
        let (needed, found) = (mask_len(height * width) as u32, self.mask.len() as u32);
        if found != needed {
            return Err(SamplerError::MaskLength { needed, found });
        }
        Ok(())
    }

    /// CRC-32 over what is kept: two that keep the same values at the same places have the same.
    fn checksum(&self, model: &Model) -> u32 {
        let [_, _, channels] = model.shape();
        let mut digest = CRC.digest();
        for index in 0..model.sample_len() {
            match self.value(index, channels) {
                Some(value) => {
                    digest.update(&[1]);
                    digest.update(&value.to_bits().to_le_bytes());
                }
                None => digest.update(&[0]),
            }
        }
        digest.finalize()
    }
}

/// What a chain that inpaints holds. It points to the functions that this takes, so that firmware whose chains do
/// not inpaint holds none of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inpainting<'a, E: StateElement> {
    pub(crate) known: KnownPixels<'a>,
    pub(crate) functions: &'static Functions<E>,
}

/// Sets the values that are known in a state, at the level of the step of these bytes, with the noise of a draw.
type Place<E> = fn(&KnownPixels, &Model, &mut State<E>, Option<&[u8; STEP_LEN]>, Stream);

/// What such a chain does more.
#[derive(Debug)]
pub(crate) struct Functions<E: StateElement> {
    pub(crate) check: fn(&KnownPixels, &Model) -> Result<(), SamplerError>,
    pub(crate) checksum: fn(&KnownPixels, &Model) -> u32,
    pub(crate) value: fn(&KnownPixels, usize, usize) -> Option<f32>,
    pub(crate) place: Place<E>,
}

impl<E: StateElement> Functions<E> {
    /// The only ones.
    const ALL: &'static Self = &Self {
        check: |known, model| known.check(model),
        checksum: |known, model| known.checksum(model),
        value: |known, index, channels| known.value(index, channels),
        place: |known, model, state, step, stream| {
            let [_, _, channels] = model.shape();
            E::place(state, step, &known.given(channels), stream);
        },
    };
}

impl<'a, E: StateElement> Inpainting<'a, E> {
    pub(crate) fn new(known: KnownPixels<'a>) -> Self {
        Self { known, functions: Functions::ALL }
    }

    pub(crate) fn check(&self, model: &Model) -> Result<(), SamplerError> {
        (self.functions.check)(&self.known, model)
    }

    pub(crate) fn checksum(&self, model: &Model) -> u32 {
        (self.functions.checksum)(&self.known, model)
    }

    pub(crate) fn value(&self, index: usize, channels: usize) -> Option<f32> {
        (self.functions.value)(&self.known, index, channels)
    }

    /// Sets what is known, at the level that x has when the step of these bytes begins.
    pub(crate) fn place(&self, model: &Model, state: &mut State<E>, step: Option<&[u8; STEP_LEN]>, stream: Stream) {
        (self.functions.place)(&self.known, model, state, step, stream);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_of_a_mask_are_pixels_in_order() {
        let image = Image::Bytes(&[0, 255, 51, 204, 0, 0, 0, 0, 0, 0, 255, 255, 9, 9, 9, 9, 255, 0]);
        let known = KnownPixels { image, mask: &[0b0010_0001, 0b1] };
        let kept: [Option<f32>; 18] = core::array::from_fn(|i| known.value(i, 2));
        let at = |pixel: usize, values: [f32; 2]| assert_eq!(kept[2 * pixel..][..2], values.map(Some));
        at(0, [-1.0, 1.0]);
        at(5, [1.0, 1.0]);
        at(8, [1.0, -1.0]);
        assert_eq!(kept.iter().flatten().count(), 6);
        assert_eq!((known.value(18, 2), known.value(0, 0)), (None, None));
        assert_eq!(Image::Bytes(&[51]).value(0), Some(-0.6));
    }
}
