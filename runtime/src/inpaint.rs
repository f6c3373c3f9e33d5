//! Inpainting: what a chain keeps of an image.

use crate::error::SamplerError;
use crate::format::CRC;
use crate::image::{Given, Image};
use crate::model::{Model, Plan};
use crate::plan::STEP_LEN;
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::process::StateKind;
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

/// How what is known enters a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Keeping {
    /// After every step the known pixels are replaced by those of the image, noised to the level that x has.
    #[default]
    Replace,
    /// After every step the distribution that x was drawn from is multiplied by the likelihood of the known pixels, which
    /// have Gaussian noise of this standard deviation: 0 keeps them as they are, more lets the chain take noise off them
    /// (Sohl-Dickstein et al. 2015, section 2.5). Steps must add noise; not of bits.
    Multiply(f32),
}

/// Where a chain stands: its plan, its first step and the steps made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment<'s, 'a> {
    pub(crate) plan: &'s Plan<'a>,
    pub(crate) start: usize,
    pub(crate) steps_done: usize,
}

impl<'s> Moment<'s, '_> {
    /// The step that was made last, if any was.
    fn done(&self) -> Option<&'s [u8; STEP_LEN]> {
        if self.steps_done == self.start {
            return None;
        }
        self.plan.step_bytes(self.steps_done.checked_sub(1)?)
    }

    /// The step that begins, if there is one.
    fn next(&self) -> Option<&'s [u8; STEP_LEN]> {
        self.plan.step_bytes(self.steps_done)
    }
}

/// The largest deviation of the noise on what is known: that of values that say nothing.
const MOST_DEVIATION: f32 = 10.0;

/// What a chain that inpaints holds. It points to the functions that this takes, so that firmware whose chains do
/// not inpaint holds none of them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inpainting<'a, E: StateElement> {
    pub(crate) known: KnownPixels<'a>,
    /// Of the noise on it, where distributions are multiplied.
    pub(crate) deviation: f32,
    pub(crate) functions: &'static Functions<E>,
}

/// Brings what is known, with noise of this deviation, into a state, with the noise of a draw.
type Place<E> = fn((&KnownPixels, f32), &Model, &mut State<E>, Moment, Stream);

/// Refuses what does not fit a model or a plan.
type Check = fn((&KnownPixels, f32), &Model, &Plan) -> Result<(), SamplerError>;

/// What such a chain does more.
#[derive(Debug)]
pub(crate) struct Functions<E: StateElement> {
    pub(crate) check: Check,
    pub(crate) checksum: fn((&KnownPixels, f32), &Model) -> u32,
    pub(crate) value: fn(&KnownPixels, usize, usize) -> Option<f32>,
    pub(crate) place: Place<E>,
}

impl<E: StateElement> Functions<E> {
    /// Of a chain that replaces pixels.
    const REPLACE: &'static Self = &Self {
        check: |(known, _), model, _| known.check(model),
        checksum: |(known, _), model| known.checksum(model),
        value: |known, index, channels| known.value(index, channels),
        place: |(known, _), model, state, moment, stream| {
            let [_, _, channels] = model.shape();
            E::place(state, moment.next(), &known.given(channels), stream);
        },
    };

    /// Of a chain that multiplies distributions.
    const MULTIPLY: &'static Self = &Self {
        check: |(known, deviation), model, plan| {
            known.check(model)?;
            if E::KIND == StateKind::Bits {
                return Err(SamplerError::MultiplyBits);
            }
            if !(0.0..=MOST_DEVIATION).contains(&deviation) {
                return Err(SamplerError::MultiplyDeviation);
            }
            // The last step leads to the image, and may go without.
            let without = |i: usize| plan.step(i).is_some_and(|step| step.sigma == 0.0);
            match (0..plan.len().saturating_sub(1)).find(|&i| without(i)) {
                Some(step) => Err(SamplerError::MultiplyWithoutNoise { step: step as u32 }),
                None => Ok(()),
            }
        },
        // Another than that of the same pixels replaced.
        checksum: |(known, deviation), model| !known.checksum(model) ^ deviation.to_bits(),
        // What is known with noise is no part of the image as it is.
        value: |_, _, _| None,
        place: |(known, deviation), model, state, moment, stream| {
            let [_, _, channels] = model.shape();
            let steps = [moment.done(), moment.next()];
            E::multiply(state, steps, &known.given(channels), deviation, moment.steps_done as u32, stream);
        },
    };
}

impl<'a, E: StateElement> Inpainting<'a, E> {
    /// By replacing pixels.
    pub(crate) fn replacing(known: KnownPixels<'a>) -> Self {
        Self { known, deviation: 0.0, functions: Functions::REPLACE }
    }

    /// By multiplying distributions.
    pub(crate) fn multiplying(known: KnownPixels<'a>, deviation: f32) -> Self {
        Self { known, deviation, functions: Functions::MULTIPLY }
    }

    /// As it is asked for.
    pub(crate) fn by(known: KnownPixels<'a>, keeping: Keeping) -> Self {
        match keeping {
            Keeping::Replace => Self::replacing(known),
            Keeping::Multiply(deviation) => Self::multiplying(known, deviation),
        }
    }

    pub(crate) fn check(&self, model: &Model, plan: &Plan) -> Result<(), SamplerError> {
        (self.functions.check)((&self.known, self.deviation), model, plan)
    }

    pub(crate) fn checksum(&self, model: &Model) -> u32 {
        (self.functions.checksum)((&self.known, self.deviation), model)
    }

    pub(crate) fn value(&self, index: usize, channels: usize) -> Option<f32> {
        (self.functions.value)(&self.known, index, channels)
    }

    /// Brings what is known into a state.
    pub(crate) fn place(&self, model: &Model, state: &mut State<E>, moment: Moment, stream: Stream) {
        (self.functions.place)((&self.known, self.deviation), model, state, moment, stream);
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
