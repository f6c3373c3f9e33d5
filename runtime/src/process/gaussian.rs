//! The Gaussian process (Ho et al. 2020): a state x_t = √ᾱ_t·x_0 + √(1 − ᾱ_t)·ε of f32 values (kept in 32 bits or
//! 16 between steps), and one affine update that takes it from level to level.
//!
//! All arithmetic is f32 +, − and ×, in the order written here, so that it has the same bits on every target.

use super::chain::{Chain, State};
use super::element::{Real, StateElement};
use super::outputs::Outputs;
use super::previous::Previous;
use super::product::Product;
use crate::format::Header;
use crate::image::Given;
use crate::plan::{Level, Start, Step, STEP_LEN};
use crate::quant::quantize;
use crate::random::{normal, Stream};
use half::f16;

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
pub fn update<P: Previous, E: Real>(
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

macro_rules! chain {
    ($element:ty) => {
        impl Chain for $element {
            type Step = Step;
            type Output = f32;

            #[inline]
            fn decode(bytes: &[u8; STEP_LEN]) -> Step {
                Step::decode(bytes)
            }

            #[inline]
            fn once(outputs: &Outputs, index: usize) -> f32 {
                outputs.once(index) as f32 * outputs.scale
            }

            #[inline]
            fn guided(outputs: &Outputs, index: usize) -> f32 {
                outputs.guided(index) as f32 * (outputs.scale * (1.0 / 256.0))
            }

            #[inline]
            fn draw(state: &mut State<Self>, start: Start, first: Option<&[u8; STEP_LEN]>, stream: Stream) {
                match (start, first) {
                    (Start::Noise, Some(first)) => {
                        let deviation = start.deviation(Step::decode(first).level);
                        renew(state.x, stream, |_, z| Some(deviation * z));
                    }
                    _ => renew(state.x, stream, |_, z| Some(z)),
                }
                state.x0_prev.fill(0);
            }

            #[inline]
            fn quantize(state: &State<Self>, header: &Header, input: &mut [u8]) {
                let (inverse_scale, zero_point) = (header.input_inverse_scale, header.input.zero_point);
                for (slot, &x) in input.iter_mut().zip(state.x.iter()) {
                    *slot = quantize(Real::load(x), inverse_scale, zero_point) as u8;
                }
            }

            #[inline]
            fn step(
                state: &mut State<Self>,
                mut step: Step,
                first: bool,
                clip: bool,
                output: impl Fn(usize) -> f32,
                stream: Stream,
            ) {
                if first {
                    // There is no x0_hat_prev; this step's x0_hat takes its place.
                    step.b += step.c;
                    step.c = 0.0;
                }
                let x0_hat = |i, x| x0_hat(&step, clip, x, output(i));
                update(&step, state.x, state.x0_prev, x0_hat, |pair| stream.normals(pair));
            }

            fn estimate(step: &Step, clip: bool, x: &[Self], index: usize, output: f32) -> f32 {
                x0_hat(step, clip, Self::value(x, index), output)
            }

            fn multiply(
                state: &mut State<Self>,
                [done, next]: [Option<&[u8; STEP_LEN]>; 2],
                given: &Given,
                deviation: f32,
                round: u32,
                stream: Stream,
            ) {
                let Some(done) = done else { return };
                let level = next.map_or(Level::CLEAN, |next| Step::decode(next).level);
                let product = Product::new(Step::decode(done).sigma, level, deviation);
                let mut z = [0.0; 2];
                for (i, slot) in state.x.iter_mut().enumerate() {
                    if i % 2 == 0 {
                        z = stream.words_of_round(round, i as u32 / 2).map(normal);
                    }
                    if let Some(value) = given.value(i) {
                        *slot = Real::store(product.of(Real::load(*slot), value, z[i % 2]));
                    }
                }
            }

            fn place(state: &mut State<Self>, step: Option<&[u8; STEP_LEN]>, given: &Given, stream: Stream) {
                let level = step.map_or(Level::CLEAN, |step| Step::decode(step).level);
                renew(state.x, stream, |i, z| given.value(i).map(|value| noised(level, value, z)));
            }
        }
    };
}

chain!(f32);
chain!(f16);

/// Sets each element of x for which `value(element, z)` gives something, z from this draw.
#[inline]
fn renew<E: Real>(x: &mut [E], stream: Stream, value: impl Fn(usize, f32) -> Option<f32>) {
    let mut z = [0.0; 2];
    for (i, slot) in x.iter_mut().enumerate() {
        if i % 2 == 0 {
            z = stream.normals(i as u32 / 2);
        }
        if let Some(value) = value(i, z[i % 2]) {
            *slot = E::store(value);
        }
    }
}
