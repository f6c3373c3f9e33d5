//! Guidance from two evaluations of the network.
//!
//! A chain that uses it holds pointers to the functions here, so that firmware whose chains do not holds none of them.

use crate::conditioning::{Condition, Guidance};
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::process::outputs::Outputs;
use crate::random::Stream;

/// The first `len` values of 16 bits in memory of a state, two in the place of an f32.
pub(crate) fn halves<E: StateElement>(values: &mut [E], len: usize) -> Option<&mut [i16]> {
    bytemuck::try_cast_slice_mut(values).ok()?.get_mut(..len)
}

/// What a chain with two evaluations a step holds.
#[derive(Debug)]
pub(crate) struct TwoEvaluations<'a, E: StateElement> {
    /// The output without a class.
    pub(crate) unconditional: &'a mut [i16],
    pub(crate) functions: &'static Functions<E>,
}

/// What such a chain does otherwise.
#[derive(Debug)]
pub(crate) struct Functions<E: StateElement> {
    /// What an evaluation draws; the first one of a step draws no class.
    pub(crate) condition: fn(Condition, bool) -> Condition,
    /// The end of the state, as so many values of 16 bits.
    pub(crate) divide: fn(&mut [E], usize) -> Option<&mut [i16]>,
    /// Keeps the output without a class.
    pub(crate) keep: fn(&mut [i16], &[i16]),
    /// What the network says of a value.
    pub(crate) output: fn(&Outputs, usize) -> E::Output,
    /// A step: the first of the chain or not, clipped or not.
    pub(crate) step: fn(&mut State<E>, E::Step, [bool; 2], &Outputs, Stream),
}

impl<E: StateElement> Functions<E> {
    /// The only ones.
    pub(crate) const ALL: &'static Self = &Self {
        condition: |condition, first| if first { Condition::NONE } else { condition.under(Guidance::PLAIN) },
        divide: halves,
        keep: |unconditional, output| unconditional.iter_mut().zip(output).for_each(|(slot, &value)| *slot = value),
        output: |outputs, index| E::guided(outputs, index),
        step: |state, step, [first, clip], outputs, stream| {
            E::step(state, step, first, clip, |index| E::guided(outputs, index), stream);
        },
    };
}
