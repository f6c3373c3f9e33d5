//! The Gaussian process (Ho et al. 2020): a state x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε of f32 values (kept in 32 bits or
//! 16 between steps), and one affine update
//! that takes it from level to level.
//!
//! All arithmetic is f32 +, − and ×, in the order written here, so that it has the same bits on every target.

use super::element::StateElement;
use super::previous::Previous;
use crate::format::CRC;
use crate::plan::{Level, Step};
use crate::quant::quantize;
use crate::random::Stream;

/// x0_hat = clip(k_x·x + k_eps·F) of one element, F being the network's `output` for it.
#[inline]
pub fn x0_hat(step: &Step, clip: bool, x: f32, output: f32) -> f32 {
    let x0_hat = step.k_x * x + step.k_eps * output;
    if !clip {
        return x0_hat;
    }
    // Comparisons rather than min and max, so that NaN takes the same path everywhere.
    let x0_hat = if x0_hat > 1.0 { 1.0 } else { x0_hat };
    if x0_hat < -1.0 {
        -1.0
    } else {
        x0_hat
    }
}

/// One step of a plan on a state,
///
/// ```text
/// x = a·x + b·x0_hat [+ c·x0_hat_prev] [+ sigma·z]
/// ```
///
/// where a term in brackets is left out when its coefficient is 0. `x0_hat(i, x)` gives the estimate for
/// element i, whose state is x, see [`x0_hat`]; `noise(j)` gives z for the elements 2j and 2j + 1.
/// `x0_prev` holds x0_hat of the previous step and receives this step's; it may be empty when no step has c ≠ 0.
pub fn update<P: Previous, E: StateElement>(
    step: &Step,
    x: &mut [E],
    x0_prev: &mut [P],
    x0_hat: impl Fn(usize, f32) -> f32,
    noise: impl Fn(u32) -> [f32; 2],
) {
    let mut z = [0.0; 2];
    for (i, slot) in x.iter_mut().enumerate() {
        let value = slot.load();
        let x0_hat = x0_hat(i, value);
        let mut next = step.a * value + step.b * x0_hat;
        if let Some(previous) = x0_prev.get_mut(i) {
            if step.c != 0.0 {
                next += step.c * previous.load();
            }
            *previous = P::store(x0_hat);
        }
        if step.sigma != 0.0 {
            if i % 2 == 0 {
                z = noise(i as u32 / 2);
            }
            next += step.sigma * z[i % 2];
        }
        *slot = E::store(next);
    }
}

/// x_0 = `value` taken to a level with noise z: signal·value + noise·z.
#[inline]
pub fn noised(level: Level, value: f32, z: f32) -> f32 {
    level.signal * value + level.noise * z
}

/// The state of a chain in the caller's memory.
#[derive(Debug)]
pub(crate) struct State<'a, E> {
    /// x_t, HWC.
    pub(crate) x: &'a mut [E],
    /// x0_hat of the step before; empty where no plan of the model needs it.
    pub(crate) x0_prev: &'a mut [i16],
}

/// A state whatever its elements: what code that is only linked where it is asked for needs of it.
pub(crate) trait Values {
    /// Number of elements of x.
    fn len(&self) -> usize;
    /// Sets an element of x.
    fn set(&mut self, index: usize, value: f32);
}

impl<E: StateElement> Values for State<'_, E> {
    fn len(&self) -> usize {
        self.x.len()
    }

    fn set(&mut self, index: usize, value: f32) {
        if let Some(slot) = self.x.get_mut(index) {
            *slot = E::store(value);
        }
    }
}

/// Sets each element of x for which `value(element, z)` gives something, z from this draw.
pub(crate) fn renew(state: &mut dyn Values, stream: Stream, value: impl Fn(usize, f32) -> Option<f32>) {
    let mut z = [0.0; 2];
    for i in 0..state.len() {
        if i % 2 == 0 {
            z = stream.normals(i as u32 / 2);
        }
        if let Some(value) = value(i, z[i % 2]) {
            state.set(i, value);
        }
    }
}

impl<E: StateElement> State<'_, E> {
    /// x_T from this draw; there is no step before.
    pub(crate) fn draw(&mut self, stream: Stream) {
        let mut z = [0.0; 2];
        for (i, x) in self.x.iter_mut().enumerate() {
            if i % 2 == 0 {
                z = stream.normals(i as u32 / 2);
            }
            *x = E::store(z[i % 2]);
        }
        self.x0_prev.fill(0);
    }

    /// Writes x as the network's input of i8 bytes.
    pub(crate) fn quantize(&self, inverse_scale: f32, zero_point: i8, input: &mut [u8]) {
        for (slot, &x) in input.iter_mut().zip(self.x.iter()) {
            *slot = quantize(x.load(), inverse_scale, zero_point) as u8;
        }
    }

    /// One step, with the network's outputs by element and the noise of this draw.
    #[inline]
    pub(crate) fn step(&mut self, step: &Step, clip: bool, output: impl Fn(usize) -> f32, stream: Stream) {
        let x0_hat = |i, x| x0_hat(step, clip, x, output(i));
        update(step, self.x, self.x0_prev, x0_hat, |pair| stream.normals(pair));
    }

    /// CRC-32 over the bytes of x.
    pub(crate) fn digest(&self) -> u32 {
        let mut digest = CRC.digest();
        for value in self.x.iter() {
            // In memory as in the format: little endian.
            digest.update(bytemuck::bytes_of(value));
        }
        digest.finalize()
    }
}
