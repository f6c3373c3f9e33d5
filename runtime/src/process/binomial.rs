//! The binomial process (Sohl-Dickstein et al. 2015): a state of bits, and one step that draws each anew from a
//! probability that is linear in what the network says. [`plan::binomial`](crate::plan) has the equations.
//!
//! All arithmetic is on integers: probabilities in units of 2^-32, logits in units of 2^-16.

use super::chain::{Chain, State};
use super::logistic::LOGISTIC;
use super::outputs::Outputs;
use super::scales::logit;
use crate::format::{Header, CRC};
use crate::image::Given;
use crate::plan::{BitStep, Start, STEP_LEN};
use crate::random::Stream;

/// Sixteen bits of a state, the first the lowest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct Bits(pub u16);

impl Bits {
    /// Bits in one of them.
    pub const LEN: usize = 16;

    /// Bit number `index` of a state.
    pub fn of(state: &[Self], index: usize) -> bool {
        state.get(index / Self::LEN).is_some_and(|bits| bits.0 >> (index % Self::LEN) & 1 == 1)
    }

    /// Sets bit number `index` of a state, if it has so many.
    pub fn set(state: &mut [Self], index: usize, value: bool) {
        if let Some(bits) = state.get_mut(index / Self::LEN) {
            let bit = 1 << (index % Self::LEN);
            bits.0 = if value { bits.0 | bit } else { bits.0 & !bit };
        }
    }
}

/// Segments of the logistic function in 1.
const SEGMENTS: u32 = 16;
/// Units of a logit in a segment.
const SEGMENT: u32 = 65_536 / SEGMENTS;

/// 1/(1 + e^(−logit)): a table of 16 segments in 1 with lines between, off by 5e-5 or 1 part in 1,000 at most, whichever
/// is less; from ±16 on it stays where it is.
#[inline(never)]
pub fn logistic(logit: i32) -> u32 {
    let size = logit.unsigned_abs();
    let (segment, place) = (size / SEGMENT, size % SEGMENT);
    let at = |i: u32| LOGISTIC.get(i as usize).or(LOGISTIC.last()).copied().unwrap_or(0);
    let (low, high) = (at(segment), at(segment + 1));
    // The distance to 1, which falls.
    let above = low - ((u64::from(low - high) * u64::from(place)) / u64::from(SEGMENT)) as u32;
    if logit < 0 {
        above
    } else {
        !above
    }
}

/// p(x_s = 1 | x_t = `bit`) of a step, for the part `f` of the logit that the network says.
#[inline]
pub fn next_probability(step: &BitStep, bit: bool, f: i32) -> u32 {
    let p_hat = estimate(step, bit, f);
    let b = usize::from(bit);
    let moved = (i64::from(step.v[b]) * i64::from(p_hat)) >> 31;
    // Rounding may lead out by a unit.
    (i64::from(step.u[b]) + moved).clamp(0, i64::from(u32::MAX)) as u32
}

/// p̂ = p(x_0 = 1 | x_t = `bit`).
#[inline]
pub fn estimate(step: &BitStep, bit: bool, f: i32) -> u32 {
    logistic(f.saturating_add(step.own_logit[usize::from(bit)]))
}

/// π of the process, from what the state is made of at a step.
pub fn mean_of(level: [u32; 2]) -> u32 {
    let [zero, one] = level.map(u64::from);
    let drawn_anew = (1u64 << 32) - one.saturating_sub(zero);
    ((zero << 32) / drawn_anew).min(u32::MAX.into()) as u32
}

/// Draws bit i of `count` anew, one with probability `p(i, bit)`, from the words of a stream.
pub fn draw(state: &mut [Bits], count: usize, stream: Stream, p: impl Fn(usize, bool) -> u32) {
    let mut words = [0; 2];
    for i in 0..count {
        if i % 2 == 0 {
            words = stream.words(i as u32 / 2);
        }
        let p = p(i, Bits::of(state, i));
        // The largest stands for 1.
        let bit = words[i % 2] < p || p == u32::MAX;
        Bits::set(state, i, bit);
    }
}

/// CRC-32 over the bytes of a state.
pub fn digest(state: &[Bits]) -> u32 {
    let mut digest = CRC.digest();
    // In memory as in the format: little endian.
    digest.update(bytemuck::cast_slice(state));
    digest.finalize()
}

/// What the network reads of a bit: 1 and -1 at a scale of 1/127.
const INPUTS: [i8; 2] = [-127, 127];

impl Chain for Bits {
    type Step = BitStep;
    type Output = i32;

    fn decode(bytes: &[u8; STEP_LEN]) -> BitStep {
        BitStep::decode(bytes)
    }

    fn once(outputs: &Outputs, index: usize) -> i32 {
        logit(outputs.once(index), outputs.scale, 0)
    }

    fn guided(outputs: &Outputs, index: usize) -> i32 {
        logit(outputs.guided(index), outputs.scale, 8)
    }

    fn draw(state: &mut State<Self>, _: Start, first: Option<&[u8; STEP_LEN]>, stream: Stream) {
        let mean = mean_of(first.map_or([0, 0], |first| BitStep::decode(first).level));
        // Bits beyond the last value stay 0.
        state.x.fill(Self(0));
        draw(state.x, state.values, stream, |_, _| mean);
    }

    fn quantize(state: &State<Self>, _: &Header, input: &mut [u8]) {
        for (i, slot) in input.iter_mut().enumerate() {
            *slot = INPUTS[usize::from(Self::of(state.x, i))] as u8;
        }
    }

    fn step(state: &mut State<Self>, step: BitStep, _: bool, _: bool, output: impl Fn(usize) -> i32, stream: Stream) {
        draw(state.x, state.values, stream, |i, bit| next_probability(&step, bit, output(i)));
    }

    fn estimate(step: &BitStep, _: bool, x: &[Self], index: usize, output: i32) -> f32 {
        let p_hat = estimate(step, Self::of(x, index), output);
        // -1 to 1, as values are.
        (i64::from(p_hat) - (1 << 31)) as f32 * (1.0 / 2_147_483_648.0)
    }

    /// Nothing: such chains are refused.
    fn multiply(_: &mut State<Self>, _: [Option<&[u8; STEP_LEN]>; 2], _: &Given, _: f32, _: u32, _: Stream) {}

    fn place(state: &mut State<Self>, step: Option<&[u8; STEP_LEN]>, given: &Given, stream: Stream) {
        let level = step.map_or([0, u32::MAX], |step| BitStep::decode(step).level);
        let State { x, values, .. } = state;
        draw(x, *values, stream, |i, bit| match given.bit(i) {
            Some(value) => level[usize::from(value)],
            // As it is.
            None if bit => u32::MAX,
            None => 0,
        });
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn bits_are_where_they_were_set() {
        let mut state = [Bits::default(); 2];
        for index in [0, 15, 16, 31] {
            Bits::set(&mut state, index, true);
        }
        assert_eq!(state, [Bits(0x8001), Bits(0x8001)]);
        Bits::set(&mut state, 15, false);
        Bits::set(&mut state, 32, true);
        assert_eq!(state, [Bits(1), Bits(0x8001)]);
        let set: Vec<usize> = (0..40).filter(|&i| Bits::of(&state, i)).collect();
        assert_eq!(set, [0, 16, 31]);
    }

    #[test]
    fn the_logistic_is_near_its_definition_and_symmetric() {
        let end = 16 << 16;
        for logit in (-end..=end).step_by(7) {
            let exact = 1.0 / (1.0 + libm::exp(-f64::from(logit) / 65_536.0));
            let found = f64::from(logistic(logit)) / 4_294_967_296.0;
            let small = exact.min(1.0 - exact).max(1e-7);
            assert!(
                (found - exact).abs() < (5e-5f64).min(1e-3 * small + 3.0 / 4_294_967_296.0),
                "{logit}: {found} instead of {exact}"
            );
            if logit != 0 {
                assert_eq!(logistic(-logit), !logistic(logit));
            }
        }
        assert_eq!([logistic(i32::MAX), logistic(i32::MIN)], [logistic(end), logistic(-end)]);
    }

    #[test]
    fn pi_is_known_at_every_level() {
        for mean in [0.5, 0.3, 0.01] {
            for kept in [0.0, 0.3, 0.9, 0.99] {
                let level = [false, true].map(|x_0| (crate::plan::marginal(kept, mean, x_0) * 4_294_967_296.0) as u32);
                let found = f64::from(mean_of(level)) / 4_294_967_296.0;
                assert!((found - mean).abs() < 1e-6, "{mean} at {kept}: {found}");
            }
        }
    }
}
