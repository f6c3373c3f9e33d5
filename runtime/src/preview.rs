//! What a step believes the image to be.

use crate::given::Known;
use crate::plan::Step;

/// x0_hat of one step, computed element by element from what lies in memory between the network's evaluation
/// and the update of the state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Estimate<'s> {
    pub(crate) step: Step,
    pub(crate) clip: bool,
    /// The network's output; with two evaluations that of the class.
    pub(crate) output: &'s [i16],
    /// With two evaluations the output without a class.
    pub(crate) unconditional: Option<&'s [i16]>,
    /// In 1/256.
    pub(crate) guidance_scale: i32,
    /// Scale of the outputs.
    pub(crate) output_scale: f32,
    pub(crate) known: Option<Known<'s>>,
    pub(crate) channels: usize,
}

impl Estimate<'_> {
    /// F of element `index`: an integer, exact, that is rounded to f32 once, times its scale.
    #[inline]
    fn output(&self, index: usize) -> f32 {
        let at = |values: &[i16]| values.get(index).map_or(0, |&q| i32::from(q));
        match self.unconditional {
            None => at(self.output) as f32 * self.output_scale,
            Some(unconditional) => {
                // At most 2^23 + 2^12·2^16.
                let (u, c) = (at(unconditional), at(self.output));
                let guided = (u * 256).wrapping_add(self.guidance_scale * (c - u));
                guided as f32 * (self.output_scale * (1.0 / 256.0))
            }
        }
    }

    /// x0_hat of element `index`, whose state is `x`: what is known, or what the step computes.
    #[inline]
    pub(crate) fn x0_hat(&self, index: usize, x: f32) -> f32 {
        match self.known.and_then(|known| known.value(index, self.channels)) {
            Some(value) => value,
            None => self.step.x0_hat(self.clip, x, self.output(index)),
        }
    }
}

/// The image as a step believes it to be, before the step is made. It takes no memory: every value is computed
/// when it is asked for, and the step computes it again.
#[derive(Clone, Copy, Debug)]
pub struct Preview<'s> {
    pub(crate) x: &'s [f32],
    pub(crate) estimate: Estimate<'s>,
    pub(crate) steps_done: usize,
}

impl Preview<'_> {
    /// x0_hat, HWC, about -1 to 1.
    pub fn x0_hat(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        self.x.iter().enumerate().map(|(index, &x)| self.estimate.x0_hat(index, x))
    }

    /// The state x_t that the step begins with, HWC.
    pub fn x(&self) -> &[f32] {
        self.x
    }

    /// Steps made before this one.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }
}
