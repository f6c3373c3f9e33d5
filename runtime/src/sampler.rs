//! The reverse chain: a step at a time, or an op at a time.

use crate::conditioning::{self, Condition};
use crate::cores::Cores;
#[cfg(feature = "two-cores")]
use crate::cores::SecondCore;
use crate::execute;
use crate::format::CRC;
use crate::inpaint::{Inpainting, Moment};
use crate::model::{Model, Ops, Plan};
use crate::plan::STEP_LEN;
use crate::preview::Preview;
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::process::outputs::Outputs;
use crate::random::Stream;
use crate::two_evaluations::TwoEvaluations;
use crate::weight_memory::WeightMemory;

/// What [`Sampler::advance`] has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Progress {
    /// The state has been quantized to the network's input.
    Quantized,
    /// This op of the network has run.
    Op(u16),
    /// The state has been updated: a step is made.
    Stepped,
    /// A piece of the state has been updated, and there are more; of a [`LongSampler`](crate::LongSampler).
    #[cfg(feature = "long")]
    Piece,
    /// Nothing: the chain is complete.
    Done,
}

/// A chain in progress. Its caller owns the loop: between steps, or between the ops of one, it may draw a preview, feed
/// a watchdog, sleep, save or stop.
///
/// The result depends on the model's bytes, the plan, the condition, the seed, the image number and the images
/// that it starts from or keeps alone, bit for bit, on every target.
///
/// `E` is what its state is kept in: `f32`, or `f16` or bits where the model's file says so, see [`StateElement`].
///
/// [`Sampler::builder`] starts one.
#[derive(Debug)]
pub struct Sampler<'a, E: StateElement = f32> {
    pub(crate) model: &'a Model<'a>,
    pub(crate) plan: Plan<'a>,
    pub(crate) condition: Condition,
    pub(crate) seed: u64,
    pub(crate) image: u32,
    pub(crate) arena: &'a mut [u8],
    pub(crate) state: State<'a, E>,
    pub(crate) two_evaluations: Option<TwoEvaluations<'a, E>>,
    pub(crate) inpainting: Option<Inpainting<'a, E>>,
    /// The first step of the chain.
    pub(crate) start: usize,
    pub(crate) steps_done: usize,
    pub(crate) next: Next<'a>,
    pub(crate) cores: Cores<'a>,
    pub(crate) weight_memory: WeightMemory<'a>,
    #[cfg(feature = "local")]
    pub(crate) local: &'a [i8],
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Next<'a> {
    /// A step begins.
    Begin,
    /// The second evaluation of a step begins.
    BeginSecond,
    /// An op.
    Op { ops: Ops<'a>, index: u16, first_of_two: bool },
    /// The update of the state.
    Update,
}

impl<'a, E: StateElement> Sampler<'a, E> {
    /// From now on hands half of each op's outputs to a second core. The chain is the same, bit for bit.
    #[cfg(feature = "two-cores")]
    #[must_use = "the chain goes on in what is returned"]
    pub fn with_second_core(self, second: &'a SecondCore<'a>) -> Self {
        Self { cores: Cores::with(second), ..self }
    }

    /// From now on copies the weights of each convolution into `words` before it runs, where they fit; all of them fit in
    /// [`Model::weight_memory_len`] words. For chips whose flash is slower than their RAM and has a cache that is smaller
    /// than a layer. The chain is the same, bit for bit.
    #[cfg(feature = "weight-memory")]
    #[must_use = "the chain goes on in what is returned"]
    pub fn with_weight_memory(self, words: &'a mut [u32]) -> Self {
        Self { weight_memory: WeightMemory::of(words), ..self }
    }

    /// Makes one step, or what is left of one; returns false, and does nothing, when the chain is complete.
    pub fn step(&mut self) -> bool {
        loop {
            match self.advance() {
                Progress::Stepped => return true,
                Progress::Done => return false,
                _ => {}
            }
        }
    }

    /// Makes one part of a step: quantizes the state, runs one op of the network, or updates the state. Called until
    /// it returns [`Progress::Stepped`] it has made the step that [`step`](Self::step) makes, bit for bit. Previews may
    /// be read, and snapshots written, in between; a snapshot within a step is that of the step's beginning.
    ///
    /// ```
    /// # use brownian::{include_model, Arena, Model, Progress, Sampler};
    /// # static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
    /// # let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    /// # let mut state = [0.0; brownian::state_len(FILE)];
    /// # let model = Model::parse(FILE)?;
    /// # let plan = model.plans().next().unwrap();
    /// # fn feed_watchdog() {}
    /// let mut sampler = Sampler::builder(&model, plan).start(arena.bytes_mut(), &mut state)?;
    /// while sampler.advance() != Progress::Done {
    ///     feed_watchdog();
    /// }
    /// # assert_eq!(sampler.steps_done(), sampler.steps());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn advance(&mut self) -> Progress {
        let Some(bytes) = self.plan.step_bytes(self.steps_done) else { return Progress::Done };
        match &mut self.next {
            Next::Begin | Next::BeginSecond => {
                self.begin();
                Progress::Quantized
            }
            Next::Op { ops, index, first_of_two } => {
                let done = *index;
                if let Some(op) = ops.next() {
                    let condition = match &self.two_evaluations {
                        None => &self.condition,
                        Some(two) => &(two.functions.condition)(self.condition, *first_of_two),
                    };
                    let biases = conditioning::step_biases(self.model, condition, time_row(bytes));
                    execute::run(self.model, &biases, self.cores, &mut self.weight_memory, &op, self.arena);
                }
                *index = done.wrapping_add(1);
                if ops.is_empty() {
                    self.next = if *first_of_two { Next::BeginSecond } else { Next::Update };
                    if let (Next::BeginSecond, Some(two)) = (&self.next, &mut self.two_evaluations) {
                        (two.functions.keep)(two.unconditional, output(self.model, self.arena));
                    }
                }
                Progress::Op(done)
            }
            Next::Update => {
                self.update(E::decode(bytes));
                Progress::Stepped
            }
        }
    }

    /// Evaluates the network for the next step, unless that is done, and shows the image as the step believes it to
    /// be; `None` when the chain is complete. [`step`](Self::step) then only updates the state. A caller that likes
    /// what it sees stops here; the step is not made, and the chain may be saved, dropped or continued.
    ///
    /// ```
    /// # use brownian::{include_model, Arena, Model, Sampler};
    /// # static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
    /// # let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    /// # let mut state = [0.0; brownian::state_len(FILE)];
    /// # let model = Model::parse(FILE)?;
    /// # let plan = model.plans().next().unwrap();
    /// # fn show(_: f32) {}
    /// let mut sampler = Sampler::builder(&model, plan).start(arena.bytes_mut(), &mut state)?;
    /// while let Some(preview) = sampler.evaluate() {
    ///     preview.x0_hat().for_each(show);
    ///     sampler.step();
    /// }
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn evaluate(&mut self) -> Option<Preview<'_, E>> {
        while !matches!(self.next, Next::Update) {
            if self.advance() == Progress::Done {
                return None;
            }
        }
        self.preview()
    }

    /// The image as the next step believes it to be, where its evaluation is done and the state not updated yet.
    pub fn preview(&self) -> Option<Preview<'_, E>> {
        let Next::Update = self.next else { return None };
        Some(Preview {
            x: self.state.x,
            values: self.state.values,
            step: E::decode(self.plan.step_bytes(self.steps_done)?),
            clip: self.plan.clip(),
            outputs: outputs(self.model, self.arena, &self.two_evaluations, self.condition),
            output: match &self.two_evaluations {
                None => |outputs, index| E::once(outputs, index),
                Some(two) => two.functions.output,
            },
            inpainting: self.inpainting,
            channels: self.model.shape()[2],
            steps_done: self.steps_done,
        })
    }

    /// Quantizes x_t for one evaluation.
    // What it needs on the stack is not to stand there while the network is evaluated.
    #[inline(never)]
    fn begin(&mut self) {
        let header = self.model.header();
        if let Some(input) = self.arena.get_mut(header.input.range()) {
            E::quantize(&self.state, header, input);
        }
        let first_of_two = self.two_evaluations.is_some() && matches!(self.next, Next::Begin);
        let (ops, index) = self.model.body();
        self.next = Next::Op { ops, index, first_of_two };
    }

    /// Updates the state with what the network said.
    // What it needs on the stack is not to stand there while the network is evaluated.
    #[inline(never)]
    fn update(&mut self, step: E::Step) {
        let first = self.steps_done == self.start;
        let stream = Stream::new(self.seed, self.image, self.steps_done as u32 + 1);
        let clip = self.plan.clip();
        // Field by field, since the state changes meanwhile.
        let outputs = outputs(self.model, self.arena, &self.two_evaluations, self.condition);
        match &self.two_evaluations {
            None => E::step(&mut self.state, step, first, clip, |index| E::once(&outputs, index), stream),
            Some(two) => (two.functions.step)(&mut self.state, step, [first, clip], &outputs, stream),
        }
        self.steps_done += 1;
        self.next = Next::Begin;
        self.place_known();
    }

    /// Sets what is known, at the level that x now has.
    pub(crate) fn place_known(&mut self) {
        let Some(inpainting) = &self.inpainting else { return };
        let stream = Stream::new(self.seed, self.image, Stream::KNOWN);
        let moment = Moment { plan: &self.plan, start: self.start, steps_done: self.steps_done };
        inpainting.place(self.model, &mut self.state, moment, stream);
    }

    /// The state x_t, HWC, as it is kept; after the last step the sample.
    pub fn x(&self) -> &[E] {
        self.state.x
    }

    /// The values of the state x_t, HWC; after the last step the sample, about -1 to 1, of bits -1 and 1.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        (0..self.state.values).map(|index| E::value(self.state.x, index))
    }

    /// The model.
    pub fn model(&self) -> &'a Model<'a> {
        self.model
    }

    /// The plan.
    pub fn plan(&self) -> Plan<'a> {
        self.plan
    }

    /// What is being drawn.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The image number.
    pub fn image(&self) -> u32 {
        self.image
    }

    /// Steps made so far; those before the start of image-to-image count as made.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// Steps of the whole plan.
    pub fn steps(&self) -> usize {
        self.plan.len()
    }

    /// The timestep of the step that comes next.
    pub fn next_timestep(&self) -> Option<u32> {
        self.plan.timestep(self.steps_done)
    }

    /// CRC-32 over the bytes of x_t: two targets that agree on it after every step agree on the sample.
    pub fn digest(&self) -> u32 {
        digest(self.state.x)
    }
}

/// CRC-32 over the bytes of a state.
pub(crate) fn digest<E: StateElement>(x: &[E]) -> u32 {
    let mut digest = CRC.digest();
    for value in x {
        // In memory as in the format: little endian.
        digest.update(bytemuck::bytes_of(value));
    }
    digest.finalize()
}

/// The row of the time table that a step of any process names.
pub(crate) fn time_row(bytes: &[u8; STEP_LEN]) -> u32 {
    bytes.as_chunks().0.get(1).map_or(0, |word| u32::from_le_bytes(*word))
}

/// What the network said of a step.
pub(crate) fn outputs<'o, E: StateElement>(
    model: &Model,
    arena: &'o [u8],
    two_evaluations: &'o Option<TwoEvaluations<E>>,
    condition: Condition,
) -> Outputs<'o> {
    Outputs {
        output: output(model, arena),
        unconditional: two_evaluations.as_ref().map_or(&[], |two| two.unconditional),
        guidance_scale: condition.guidance().in_256ths().into(),
        scale: model.header().output_scale,
    }
}

/// The network's output as it lies in the arena.
fn output<'o>(model: &Model, arena: &'o [u8]) -> &'o [i16] {
    let bytes = arena.get(model.header().output.range()).unwrap_or(&[]);
    bytemuck::try_cast_slice(bytes).unwrap_or(&[])
}
