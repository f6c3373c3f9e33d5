//! What a step believes the image to be.

use crate::inpaint::Inpainting;
use crate::process::element::StateElement;
use crate::process::outputs::Outputs;

/// The image as a step believes it to be, before the step is made. It takes no memory: every value is computed
/// when it is asked for, and the step computes it again.
#[derive(Clone, Copy, Debug)]
pub struct Preview<'s, E: StateElement = f32> {
    pub(crate) x: &'s [E],
    pub(crate) values: usize,
    pub(crate) step: E::Step,
    pub(crate) clip: bool,
    pub(crate) outputs: Outputs<'s>,
    /// What the network says of a value.
    pub(crate) output: fn(&Outputs, usize) -> E::Output,
    pub(crate) inpainting: Option<Inpainting<'s, E>>,
    pub(crate) channels: usize,
    pub(crate) steps_done: usize,
}

impl<E: StateElement> Preview<'_, E> {
    /// x0_hat, HWC, about -1 to 1, of a bit 2·p̂ - 1; known pixels are what they are known to be.
    pub fn x0_hat(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        (0..self.values).map(|index| {
            match self.inpainting.and_then(|inpainting| inpainting.value(index, self.channels)) {
                Some(value) => value,
                None => E::estimate(&self.step, self.clip, self.x, index, (self.output)(&self.outputs, index)),
            }
        })
    }

    /// The state x_t that the step begins with, HWC, as it is kept.
    pub fn x(&self) -> &[E] {
        self.x
    }

    /// The values of x_t, HWC.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        (0..self.values).map(|index| E::value(self.x, index))
    }

    /// Steps made before this one.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }
}
