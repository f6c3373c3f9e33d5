//! A chain whose state is of whichever kind its model says.

use super::frame::Raster;
use super::settings::Settings;
use brownian::sound::{heard, sample, Sound};
use brownian::{f16, Bits, Model, Progress, Sampler, SamplerError, StateElement, StateKind};

/// A chain that runs. Its functions are not inlined, so that the demo's own code stands once, not once an element.
#[derive(Debug)]
pub enum Drawing<'a> {
    /// Of values.
    F32(Sampler<'a, f32>),
    /// Of values in half the memory.
    F16(Sampler<'a, f16>),
    /// Of bits.
    Bits(Sampler<'a, Bits>),
}

/// What is said of the sampler, whatever its element.
macro_rules! of_any {
    ($drawing:expr, $sampler:ident => $said:expr) => {
        match $drawing {
            Drawing::F32($sampler) => $said,
            Drawing::F16($sampler) => $said,
            Drawing::Bits($sampler) => $said,
        }
    };
}

impl<'a> Drawing<'a> {
    /// Starts the chain of `settings` in an arena and the bytes of a state, at a multiple of 4, with the second core if there
    /// is one. It stays in `place`: copies would take as much of the stack while it draws.
    ///
    /// # Errors
    /// As [`brownian::Builder::start`].
    #[inline(never)]
    pub(super) fn start<'p>(
        model: &'a Model<'a>,
        settings: &Settings<'a>,
        (arena, state): (&'a mut [u8], &'a mut [u8]),
        #[cfg(feature = "two-cores")] second: Option<&'a brownian::SecondCore<'a>>,
        place: &'p mut Option<Self>,
    ) -> Result<&'p mut Self, SamplerError> {
        let drawing = match model.state_kind() {
            StateKind::F16 => Self::F16(start(model, settings, arena, state)?),
            StateKind::Bits => Self::Bits(start(model, settings, arena, state)?),
            _ => Self::F32(start(model, settings, arena, state)?),
        };
        #[cfg(feature = "two-cores")]
        let drawing = match (drawing, second) {
            (drawing, None) => drawing,
            (Self::F32(sampler), Some(second)) => Self::F32(sampler.with_second_core(second)),
            (Self::F16(sampler), Some(second)) => Self::F16(sampler.with_second_core(second)),
            (Self::Bits(sampler), Some(second)) => Self::Bits(sampler.with_second_core(second)),
        };
        Ok(place.insert(drawing))
    }

    /// [`Sampler::advance`].
    #[inline(never)]
    pub(super) fn advance(&mut self) -> Progress {
        of_any!(self, sampler => advance(sampler))
    }

    /// [`Sampler::steps_done`].
    #[inline(never)]
    pub(super) fn steps_done(&self) -> usize {
        of_any!(self, sampler => sampler.steps_done())
    }

    /// [`Sampler::digest`].
    #[inline(never)]
    pub(super) fn digest(&self) -> u32 {
        of_any!(self, sampler => sampler.digest())
    }

    /// Makes `image` what the step believes the image to be, where it has evaluated the network and not moved yet.
    #[inline(never)]
    pub(super) fn preview(&self, image: &mut impl Raster) {
        of_any!(self, sampler => if let Some(preview) = sampler.preview() {
            image.take(&mut preview.x0_hat(), sampler.model().shape());
        });
    }

    /// Makes `image` the state; after the last step the sample.
    #[inline(never)]
    pub(super) fn image(&self, image: &mut impl Raster) {
        of_any!(self, sampler => image.take(&mut sampler.values(), sampler.model().shape()));
    }

    /// The state as samples of a sound; after the last step those of what is drawn.
    pub(super) fn samples(&self, sound: Sound) -> impl ExactSizeIterator<Item = i16> + '_ {
        let [height, width, channels] = of_any!(self, sampler => sampler.model().shape());
        let gain = self.gain(sound);
        (0..height * width).map(move |index| sample(self.value(index * channels), gain))
    }

    /// [`Sound::gain`] of the state.
    #[inline(never)]
    fn gain(&self, sound: Sound) -> f32 {
        of_any!(self, sampler => sound.gain(heard(sampler.values(), sampler.model().shape()[2])))
    }

    /// A value of the state.
    #[inline(never)]
    fn value(&self, index: usize) -> f32 {
        of_any!(self, sampler => StateElement::value(sampler.x(), index))
    }
}

/// [`Sampler::advance`], with a frame on the stack that is of one element only.
#[inline(never)]
fn advance<E: StateElement>(sampler: &mut Sampler<E>) -> Progress {
    sampler.advance()
}

#[inline(never)]
fn start<'a, E: StateElement>(
    model: &'a Model<'a>,
    settings: &Settings<'a>,
    arena: &'a mut [u8],
    state: &'a mut [u8],
) -> Result<Sampler<'a, E>, SamplerError> {
    // Bytes that cannot be such elements are as good as none.
    let state = bytemuck::try_cast_slice_mut(state).unwrap_or_default();
    let chain = Sampler::builder(model, settings.plan).seed(settings.seed).condition(settings.condition);
    chain.start(arena, state)
}
