//! The reverse chain, one step at a time.

use crate::conditioning::{self, Condition, Guidance, StepBiases};
use crate::error::SamplerError;
use crate::execute;
use crate::format::{BLOB_ALIGN, CRC};
use crate::gaussian::normal;
use crate::given::{Image, Known};
use crate::model::{Model, Plan};
use crate::plan::{Level, Step};
use crate::preview::{Estimate, Preview};
use crate::previous::Previous;
use crate::quant::quantize;
use crate::rng::Stream;
use core::ops::ControlFlow;

/// One step of a plan on a state: the whole family's update rule, in f32 and in this order,
///
/// ```text
/// x = a·x + b·x0_hat [+ c·x0_hat_prev] [+ sigma·z]
/// ```
///
/// where a term in brackets is left out when its coefficient is 0. `x0_hat(i, x)` gives the estimate for
/// element i, whose state is x, see [`Step::x0_hat`]; `noise(j)` gives z for the elements 2j and 2j + 1.
/// `x0_prev` holds x0_hat of the previous step and receives this step's; it may be empty when no step has c ≠ 0.
pub fn update<P: Previous>(
    step: &Step,
    x: &mut [f32],
    x0_prev: &mut [P],
    x0_hat: impl Fn(usize, f32) -> f32,
    noise: impl Fn(u32) -> [f32; 2],
) {
    let mut z = [0.0; 2];
    for (i, value) in x.iter_mut().enumerate() {
        let x0_hat = x0_hat(i, *value);
        let mut next = step.a * *value + step.b * x0_hat;
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
/// sleep, save or stop.
///
/// The result depends on the model's bytes, the plan, the condition, the seed, the image number and the images
/// given alone, bit for bit, on every target.
#[derive(Debug)]
pub struct Sampler<'a> {
    pub(crate) model: &'a Model<'a>,
    pub(crate) plan: Plan<'a>,
    pub(crate) condition: Condition,
    pub(crate) seed: u64,
    pub(crate) image: u32,
    arena: &'a mut [u8],
    pub(crate) state: State<'a>,
    pub(crate) known: Option<Known<'a>>,
    /// The first step of the chain.
    pub(crate) start: usize,
    pub(crate) steps_done: usize,
}

/// The caller's f32 memory, divided.
#[derive(Debug)]
pub(crate) struct State<'a> {
    pub(crate) x: &'a mut [f32],
    /// Empty where no plan of the model needs it.
    pub(crate) x0_prev: &'a mut [i16],
    /// The network's output without a class; empty for one evaluation a step.
    unconditional: &'a mut [i16],
}

impl<'a> State<'a> {
    /// Checks the length, and divides what is needed.
    pub(crate) fn divide(model: &Model, condition: Condition, state: &'a mut [f32]) -> Result<Self, SamplerError> {
        let twice = condition.evaluates_twice();
        let needed = if twice { model.state_len_two_evaluations() } else { model.state_len() };
        let short = SamplerError::StateLength { needed: needed as u32, found: state.len() as u32 };
        let (state, rest) = state.split_at_mut_checked(model.state_len()).ok_or(short)?;
        let (x, x0_prev) = state.split_at_mut_checked(model.sample_len()).ok_or(short)?;
        // Two values of 16 bits in the place of one f32.
        let halves = |values: &'a mut [f32], needed: bool| {
            let all: &mut [i16] = bytemuck::try_cast_slice_mut(values).unwrap_or(&mut []);
            all.get_mut(..if needed { model.sample_len() } else { 0 }).ok_or(short)
        };
        let multistep = !x0_prev.is_empty();
        Ok(Self { x, x0_prev: halves(x0_prev, multistep)?, unconditional: halves(rest, twice)? })
    }
}

/// The part of the arena that the model needs.
pub(crate) fn check_arena<'a>(model: &Model, arena: &'a mut [u8]) -> Result<&'a mut [u8], SamplerError> {
    if !(arena.as_ptr() as usize).is_multiple_of(BLOB_ALIGN) {
        return Err(SamplerError::ArenaMisaligned);
    }
    let needed = model.arena_len();
    let short = SamplerError::ArenaLength { needed: needed as u32, found: arena.len() as u32 };
    arena.get_mut(..needed).ok_or(short)
}

impl<'a> Sampler<'a> {
    /// Draws x_T for image number `image` of `seed` and stands before the first step.
    ///
    /// `arena` needs [`Model::arena_len`] bytes at a multiple of 16, `state` [`Model::state_len`] values, or
    /// [`Model::state_len_two_evaluations`] for a class under [`Guidance::TwoEvaluations`]; longer ones are used in
    /// part. Their contents do not matter.
    ///
    /// # Errors
    /// Memory that does not fit, or a condition that the model does not take.
    pub fn new(
        model: &'a Model<'a>,
        plan: Plan<'a>,
        condition: Condition,
        (seed, image): (u64, u32),
        arena: &'a mut [u8],
        state: &'a mut [f32],
    ) -> Result<Self, SamplerError> {
        conditioning::check(model, condition)?;
        let arena = check_arena(model, arena)?;
        let state = State::divide(model, condition, state)?;
        let mut sampler =
            Self { model, plan, condition, seed, image, arena, state, known: None, start: 0, steps_done: 0 };
        sampler.noise(0, |_, z| Some(z));
        sampler.state.x0_prev.fill(0);
        Ok(sampler)
    }

    /// A chain that stands where a snapshot says; `state` holds what it needs.
    pub(crate) fn at(
        model: &'a Model<'a>,
        plan: Plan<'a>,
        condition: Condition,
        (seed, image): (u64, u32),
        arena: &'a mut [u8],
        state: State<'a>,
    ) -> Result<Self, SamplerError> {
        let arena = check_arena(model, arena)?;
        Ok(Self { model, plan, condition, seed, image, arena, state, known: None, start: 0, steps_done: 0 })
    }

    /// Image-to-image: the chain starts from `source`, noised to the level at which step number `step` (counted
    /// from 0) begins, and makes the steps from that one on. The later the step, the more of the image stays.
    ///
    /// # Errors
    /// An image of another size, a step that the plan does not have, or a chain that has made steps.
    pub fn from_image(mut self, source: Image, step: usize) -> Result<Self, SamplerError> {
        source.check(self.model)?;
        if self.steps_done != self.start {
            return Err(SamplerError::Started);
        }
        let level = self.plan.step(step).ok_or(SamplerError::Start { steps: self.plan.len() as u32 })?.level;
        (self.start, self.steps_done) = (step, step);
        self.noise(Stream::START, |i, z| source.value(i).map(|value| noised(level, value, z)));
        self.place_known();
        Ok(self)
    }

    /// Inpainting: after every step, and before the first, the pixels that `known` names are those of its image,
    /// noised to the level that x then has, with one noise for the whole chain; after the last step they are
    /// the image itself. The network draws the other pixels to suit them.
    ///
    /// # Errors
    /// An image or a mask of another size.
    pub fn inpaint(mut self, known: Known<'a>) -> Result<Self, SamplerError> {
        known.check(self.model)?;
        self.known = Some(known);
        self.place_known();
        Ok(self)
    }

    /// Makes one step; returns false, and does nothing, when the chain is complete.
    pub fn step(&mut self) -> bool {
        self.advance(|_| (), |_| ControlFlow::Continue(()))
    }

    /// Like [`step`](Self::step), telling `observer` each part when it is done.
    pub fn step_observed(&mut self, observer: impl FnMut(Part)) -> bool {
        self.advance(observer, |_| ControlFlow::Continue(()))
    }

    /// Like [`step`](Self::step), showing `preview` the image as the step believes it to be. Where `preview`
    /// returns `Break`, the step is not made and false is returned: the chain stands where it stood and may be
    /// saved, dropped or continued.
    pub fn step_previewed(&mut self, preview: impl FnOnce(Preview) -> ControlFlow<()>) -> bool {
        self.advance(|_| (), preview)
    }

    fn advance(&mut self, mut observer: impl FnMut(Part), preview: impl FnOnce(Preview) -> ControlFlow<()>) -> bool {
        let Some(mut step) = self.plan.step(self.steps_done) else { return false };
        if self.steps_done == self.start {
            // The first step has no x0_hat_prev; its own x0_hat takes the place.
            step.b += step.c;
            step.c = 0.0;
        }
        let Condition { class, guidance_scale, guidance } = self.condition;
        let twice = self.condition.evaluates_twice();
        if twice {
            self.evaluate(&step, None, Condition::PLAIN, &mut observer);
            let output = output(self.model, self.arena);
            self.state.unconditional.iter_mut().zip(output).for_each(|(slot, &value)| *slot = value);
        }
        let bias_scale = if guidance == Guidance::Bias { guidance_scale } else { Condition::PLAIN };
        self.evaluate(&step, class, bias_scale, &mut observer);
        let estimate = Estimate {
            step,
            clip: self.plan.clip(),
            output: output(self.model, self.arena),
            unconditional: if twice { Some(&*self.state.unconditional) } else { None },
            guidance_scale: i32::from(guidance_scale),
            output_scale: self.model.header().output_scale,
            known: self.known,
            channels: self.channels(),
        };
        if preview(Preview { x: self.state.x, estimate, steps_done: self.steps_done }).is_break() {
            return false;
        }
        let stream = Stream::new(self.seed, self.image, self.steps_done as u32 + 1);
        let noise = |pair| stream.words(pair).map(normal);
        update(&step, self.state.x, self.state.x0_prev, |i, x| estimate.x0_hat(i, x), noise);
        self.steps_done += 1;
        self.place_known();
        observer(Part::Update);
        true
    }

    /// One evaluation of the network at x_t; its output stays in the arena.
    fn evaluate(&mut self, step: &Step, class: Option<u16>, scale: u16, observer: &mut impl FnMut(Part)) {
        let header = self.model.header();
        let Some(input) = self.arena.get_mut(header.input.range()) else { return };
        for (slot, &x) in input.iter_mut().zip(self.state.x.iter()) {
            *slot = quantize(x, header.input_inverse_scale, header.input.zero_point) as u8;
        }
        observer(Part::Quantize);
        let biases = StepBiases::new(self.model, class, scale, step.time_row);
        execute::evaluate(self.model, &biases, self.arena, |op| observer(Part::Op(op)));
    }

    /// Sets each element of x for which `value(element, z)` gives something, z from this draw.
    fn noise(&mut self, draw: u32, value: impl Fn(usize, f32) -> Option<f32>) {
        let stream = Stream::new(self.seed, self.image, draw);
        let mut z = [0.0; 2];
        for (i, x) in self.state.x.iter_mut().enumerate() {
            if i % 2 == 0 {
                z = stream.words(i as u32 / 2).map(normal);
            }
            if let Some(value) = value(i, z[i % 2]) {
                *x = value;
            }
        }
    }

    /// Sets what is known, at the level that x now has.
    pub(crate) fn place_known(&mut self) {
        let Some(known) = self.known else { return };
        let (level, channels) = (self.plan.level(self.steps_done), self.channels());
        self.noise(Stream::KNOWN, |i, z| known.value(i, channels).map(|value| noised(level, value, z)));
    }

    fn channels(&self) -> usize {
        let [_, _, channels] = self.model.shape();
        channels
    }
}

/// signal·value + noise·z.
fn noised(level: Level, value: f32, z: f32) -> f32 {
    level.signal * value + level.noise * z
}

impl Sampler<'_> {
    /// The state x_t, HWC; after the last step the sample, about [-1, 1].
    pub fn x(&self) -> &[f32] {
        self.state.x
    }

    /// The model.
    pub fn model(&self) -> &Model<'_> {
        self.model
    }

    /// The plan.
    pub fn plan(&self) -> Plan<'_> {
        self.plan
    }

    /// What is being drawn.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Seed and image number.
    pub fn seed(&self) -> (u64, u32) {
        (self.seed, self.image)
    }

    /// Steps made so far; those before the start of image-to-image count as made.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// Steps of the whole plan.
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
        for value in self.state.x.iter() {
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
