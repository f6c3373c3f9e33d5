//! What a process is to a chain: how its state begins, becomes the network's input, and is changed by a step.

use super::outputs::Outputs;
use crate::format::Header;
use crate::image::Given;
use crate::plan::{Start, STEP_LEN};
use crate::random::Stream;
use core::fmt::Debug;

/// The state of a chain in the caller's memory.
#[derive(Debug)]
pub struct State<'a, E> {
    /// x_t, HWC.
    pub(crate) x: &'a mut [E],
    /// Number of values of x_t.
    pub(crate) values: usize,
    /// x0_hat of the step before; empty where no plan of the model needs it.
    pub(crate) x0_prev: &'a mut [i16],
}

/// What a chain whose state has these elements does. A process is a file with an implementation of it.
pub trait Chain: Sized {
    /// A step of a plan.
    type Step: Copy + Debug;
    /// What the network says of a value.
    type Output: Debug;

    /// A step from its bytes.
    fn decode(bytes: &[u8; STEP_LEN]) -> Self::Step;

    /// What one evaluation says of value `index`.
    fn once(outputs: &Outputs, index: usize) -> Self::Output;

    /// What two evaluations say of it.
    fn guided(outputs: &Outputs, index: usize) -> Self::Output;

    /// Sets x_T from this draw, for a chain whose plan starts so, with the step of these bytes.
    fn draw(state: &mut State<Self>, start: Start, first: Option<&[u8; STEP_LEN]>, stream: Stream);

    /// Writes x as the network's input.
    fn quantize(state: &State<Self>, header: &Header, input: &mut [u8]);

    /// One step, with what the network says by value and the noise of this draw; `first` of the chain or not.
    fn step(
        state: &mut State<Self>,
        step: Self::Step,
        first: bool,
        clip: bool,
        output: impl Fn(usize) -> Self::Output,
        stream: Stream,
    );

    /// x_0 as a step believes it to be, about -1 to 1: value `index` of x.
    fn estimate(step: &Self::Step, clip: bool, x: &[Self], index: usize, output: Self::Output) -> f32;

    /// Multiplies the distribution that a step has drawn the values from by what is said of those that are given: of `steps` the first
    /// was made, if any was, and the second begins, if there is one. `round` is the number of steps made.
    fn multiply(
        state: &mut State<Self>,
        steps: [Option<&[u8; STEP_LEN]>; 2],
        given: &Given,
        deviation: f32,
        round: u32,
        stream: Stream,
    );

    /// Sets the values that are given to the level that x has when the step of these bytes begins, or to the image behind
    /// the last step, with the noise of this draw.
    fn place(state: &mut State<Self>, step: Option<&[u8; STEP_LEN]>, given: &Given, stream: Stream);
}
