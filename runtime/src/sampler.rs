//! The reverse chain, one step at a time.

use crate::conditioning::{self, Condition, StepBiases};
use crate::error::SamplerError;
use crate::execute;
use crate::format::{BLOB_ALIGN, CRC};
use crate::gaussian::normal;
use crate::model::{Model, Plan};
use crate::plan::Step;
use crate::quant::quantize;
use crate::rng::Stream;

/// One step of a plan on a state: the whole family's update rule, in f32 and in this order,
///
/// ```text
/// x0_hat = clip(k_x·x + k_eps·F);  x = a·x + b·x0_hat [+ c·x0_hat_prev] [+ sigma·z]
/// ```
///
/// where a term in brackets is left out when its coefficient is 0. `output(i)` is the network's F for
/// element i; `noise(j)` gives z for the elements 2j and 2j + 1. `x0_prev` holds x0_hat of the
/// previous step and receives this step's; it may be empty when no step has c ≠ 0.
pub fn update(
    step: &Step,
    clip: bool,
    x: &mut [f32],
    x0_prev: &mut [f32],
    output: impl Fn(usize) -> f32,
    noise: impl Fn(u32) -> [f32; 2],
) {
    let mut z = [0.0; 2];
    for (i, value) in x.iter_mut().enumerate() {
        let mut x0_hat = step.k_x * *value + step.k_eps * output(i);
        if clip {
            // Comparisons rather than min and max, so that NaN takes the same path everywhere.
            x0_hat = if x0_hat > 1.0 { 1.0 } else { x0_hat };
            x0_hat = if x0_hat < -1.0 { -1.0 } else { x0_hat };
        }
        let mut next = step.a * *value + step.b * x0_hat;
        if let Some(previous) = x0_prev.get_mut(i) {
            if step.c != 0.0 {
                next += step.c * *previous;
            }
            *previous = x0_hat;
        }
        if step.sigma != 0.0 {
            if i % 2 == 0 {
                z = noise(i as u32 / 2);
            }
            next += step.sigma * z[i % 2];
        }
        *value = next;
    }
}

/// A part of a step, for observers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Part {
    /// The state has been quantized to the network's input.
    Quantize,
    /// An op of the network has run.
    Op(u16),
    /// The state has been updated.
    Update,
}

/// A chain in progress. Its caller owns the loop: between steps it may draw a preview, feed a watchdog,
/// sleep or stop.
///
/// The result depends on the model's bytes, the plan, the condition, the seed and the image number
/// alone, bit for bit, on every target.
#[derive(Debug)]
pub struct Sampler<'a> {
    model: &'a Model<'a>,
    plan: Plan<'a>,
    condition: Condition,
    seed: u64,
    image: u32,
    arena: &'a mut [u8],
    x: &'a mut [f32],
    x0_prev: &'a mut [f32],
    steps_done: usize,
}

impl<'a> Sampler<'a> {
    /// Draws x_T for image number `image` of `seed` and stands before the first step.
    ///
    /// `arena` needs [`Model::arena_len`] bytes at a multiple of 16, `state` [`Model::state_len`] values;
    /// longer ones are used in part. Their contents do not matter.
    pub fn new(
        model: &'a Model<'a>,
        plan: Plan<'a>,
        condition: Condition,
        (seed, image): (u64, u32),
        arena: &'a mut [u8],
        state: &'a mut [f32],
    ) -> Result<Self, SamplerError> {
        conditioning::check(model, condition)?;
        let needed = model.arena_len();
        let lengths = (needed as u32, arena.len() as u32);
        if !(arena.as_ptr() as usize).is_multiple_of(BLOB_ALIGN) {
            return Err(SamplerError::ArenaMisaligned);
        }
        let arena = arena.get_mut(..needed).ok_or(SamplerError::ArenaLength { needed: lengths.0, found: lengths.1 })?;
        let short = SamplerError::StateLength { needed: model.state_len() as u32, found: state.len() as u32 };
        let state = state.get_mut(..model.state_len()).ok_or(short)?;
        let values = model.header().input.values();
        let (x, x0_prev) = state.split_at_mut_checked(values).ok_or(short)?;
        let stream = Stream::new(seed, image, 0);
        let mut z = [0.0; 2];
        for (i, value) in x.iter_mut().enumerate() {
            if i % 2 == 0 {
                z = stream.words(i as u32 / 2).map(normal);
            }
            *value = z[i % 2];
        }
        x0_prev.fill(0.0);
        Ok(Self { model, plan, condition, seed, image, arena, x, x0_prev, steps_done: 0 })
    }

    /// Makes one step; returns false, and does nothing, when the chain is complete.
    pub fn step(&mut self) -> bool {
        self.step_observed(|_| ())
    }

    /// Like [`step`](Self::step), telling `observer` each part when it is done.
    pub fn step_observed(&mut self, mut observer: impl FnMut(Part)) -> bool {
        let Some(step) = self.plan.step(self.steps_done) else { return false };
        self.load_input();
        observer(Part::Quantize);
        let biases = StepBiases::new(self.model, self.condition, step.time_row);
        execute::evaluate(self.model, &biases, self.arena, |op| observer(Part::Op(op)));
        let output = output(self.model, self.arena);
        let scale = self.model.header().output_scale;
        let stream = Stream::new(self.seed, self.image, self.steps_done as u32 + 1);
        update(
            &step,
            self.plan.clip(),
            self.x,
            self.x0_prev,
            |i| output.get(i).map_or(0.0, |&q| q as f32) * scale,
            |pair| stream.words(pair).map(normal),
        );
        self.steps_done += 1;
        observer(Part::Update);
        true
    }

    fn load_input(&mut self) {
        let header = self.model.header();
        let Some(input) = self.arena.get_mut(header.input.range()) else { return };
        for (slot, &x) in input.iter_mut().zip(self.x.iter()) {
            *slot = quantize(x, header.input_inverse_scale, header.input.zero_point) as u8;
        }
    }
}

impl Sampler<'_> {
    /// The state x_t, HWC; after the last step the sample, about [-1, 1].
    pub fn x(&self) -> &[f32] {
        self.x
    }

    /// The model.
    pub fn model(&self) -> &Model<'_> {
        self.model
    }

    /// Steps made so far.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// Steps of the whole chain.
    pub fn steps(&self) -> usize {
        self.plan.len()
    }

    /// The step that comes next.
    pub fn next_step(&self) -> Option<Step> {
        self.plan.step(self.steps_done)
    }

    /// CRC-32 over the bytes of x_t: two targets that agree on it after every step agree on the sample.
    pub fn digest(&self) -> u32 {
        let mut digest = CRC.digest();
        for value in self.x.iter() {
            digest.update(&value.to_bits().to_le_bytes());
        }
        digest.finalize()
    }
}

/// The network's output as it lies in the arena.
fn output<'o>(model: &Model, arena: &'o [u8]) -> &'o [i16] {
    let bytes = arena.get(model.header().output.range()).unwrap_or(&[]);
    bytemuck::try_cast_slice(bytes).unwrap_or(&[])
}
