//! What a step believes the image to be.

use crate::inpaint::Inpainting;
use crate::plan::Step;
use crate::process::element::StateElement;
use crate::process::gaussian::x0_hat;
use crate::two_evaluations::Outputs;

/// The image as a step believes it to be, before the step is made. It takes no memory: every value is computed
/// when it is asked for, and the step computes it again.
#[derive(Clone, Copy, Debug)]
pub struct Preview<'s, E: StateElement = f32> {
    pub(crate) x: &'s [E],
    pub(crate) step: Step,
    pub(crate) clip: bool,
    pub(crate) outputs: Outputs<'s>,
    /// F of an element.
    pub(crate) output: fn(&Outputs, usize) -> f32,
    pub(crate) inpainting: Option<Inpainting<'s>>,
    pub(crate) channels: usize,
    pub(crate) steps_done: usize,
}

impl<E: StateElement> Preview<'_, E> {
    /// x0_hat, HWC, about -1 to 1; known pixels are what they are known to be.
    pub fn x0_hat(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.x.iter().enumerate().map(|(index, x)| {
            match self.inpainting.and_then(|inpainting| inpainting.value(index, self.channels)) {
                Some(value) => value,
                None => x0_hat(&self.step, self.clip, x.load(), (self.output)(&self.outputs, index)),
            }
        })
    }

    /// The state x_t that the step begins with, HWC.
    pub fn x(&self) -> &[E] {
        self.x
    }

    /// Steps made before this one.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }
}
