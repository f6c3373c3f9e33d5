//! The reverse chain of a long signal: every step piece by piece.

use super::error::LongError;
use super::pieces::{Piece, Pieces};
use crate::builder::{check_aligned, Builder};
use crate::conditioning::{self, Condition};
use crate::cores::Cores;
#[cfg(feature = "two-cores")]
use crate::cores::SecondCore;
use crate::error::SamplerError;
use crate::execute;
use crate::model::{Model, Ops, Plan};
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::process::StateKind;
use crate::random::Stream;
use crate::sampler::{digest, outputs, time_row, Progress};
use crate::weight_memory::WeightMemory;

impl<'a, E: StateElement> Builder<'a, E> {
    /// Draws x_T of a signal cut into `pieces`; no step is made yet. Every value of the chain is that of a network as
    /// long as the signal, bit for bit; what it costs is [`Pieces::count`] evaluations a step.
    ///
    /// `arena` needs [`Pieces::arena_len`] bytes at a multiple of 16, `state` [`Pieces::state_len`] elements; longer ones
    /// are used in part. Their contents do not matter.
    ///
    /// # Errors
    /// As [`start`](Self::start), where the local condition is that of the whole signal, of [`Pieces::local_len`] values; two
    /// evaluations, image-to-image and inpainting are refused.
    ///
    /// ```
    /// use brownian::{host::OwnedModel, host::AlignedBytes, Pieces, Sampler};
    ///
    /// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/signal.brn"))?;
    /// let model = file.model();
    /// let plan = model.plans().next().expect("the model has a plan");
    /// let pieces = Pieces::new(&model, 1024)?;
    /// let mut arena = AlignedBytes::zeroed(pieces.arena_len());
    /// let mut state = vec![0.0f32; pieces.state_len()];
    /// let mut chain = Sampler::builder(&model, plan).seed(1).start_long(pieces, arena.bytes_mut(), &mut state)?;
    /// while chain.step() {}
    /// assert_eq!(chain.values().len(), 1024);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn start_long(
        self,
        pieces: Pieces,
        arena: &'a mut [u8],
        state: &'a mut [E],
    ) -> Result<LongSampler<'a, E>, LongError> {
        let model = self.model;
        if self.two_evaluations.is_some() || self.from_image.is_some() || self.inpainting.is_some() {
            return Err(LongError::Plain);
        }
        let condition = self.whole_condition()?;
        // Not the pieces of another model.
        if Pieces::new(model, pieces.length() as u32) != Ok(pieces) || E::KIND == StateKind::Bits {
            return Err(LongError::Model);
        }
        if !model.has(&self.plan) {
            return Err(SamplerError::ForeignPlan.into());
        }
        condition.check(model)?;
        if E::KIND != model.state_kind() {
            return Err(SamplerError::StateElement { kind: model.state_kind() }.into());
        }
        #[cfg(feature = "local")]
        if self.local.len() != pieces.local_len() {
            let (needed, found) = (pieces.local_len() as u32, self.local.len() as u32);
            return Err(SamplerError::LocalLength { needed, found }.into());
        }
        let arena = check_aligned(pieces.arena_len(), arena)?;
        let (arena, seen) = arena.split_at_mut_checked(model.arena_len()).unwrap_or_default();
        let short = SamplerError::StateLength { needed: pieces.state_len() as u32, found: state.len() as u32 };
        let values = pieces.length() * model.shape()[2];
        let (x, rest) =
            state.get_mut(..pieces.state_len()).and_then(|state| state.split_at_mut_checked(values)).ok_or(short)?;
        let x0_prev: &mut [i16] = bytemuck::try_cast_slice_mut(rest).unwrap_or_default();
        let x0_prev = if x0_prev.is_empty() { x0_prev } else { x0_prev.get_mut(..values).ok_or(short)? };
        let mut state = State { x, values, x0_prev };
        let plan = self.plan;
        E::draw(&mut state, plan.start(), plan.step_bytes(0), Stream::new(self.seed, self.image, 0));
        let piece = pieces.first();
        let (seed, image) = (self.seed, self.image);
        Ok(LongSampler {
            model,
            plan,
            condition,
            seed,
            image,
            arena,
            seen,
            state,
            pieces,
            piece,
            steps_done: 0,
            next: Next::Quantize,
            cores: Cores::ONE,
            weight_memory: WeightMemory::none(),
            #[cfg(feature = "local")]
            local: self.local,
        })
    }
}

/// A chain in progress of a signal longer than the model's own; see [`Builder::start_long`].
#[derive(Debug)]
pub struct LongSampler<'a, E: StateElement = f32> {
    model: &'a Model<'a>,
    plan: Plan<'a>,
    condition: Condition,
    seed: u64,
    image: u32,
    arena: &'a mut [u8],
    /// What the piece's window sees of the columns that earlier pieces have updated, as the network's input.
    seen: &'a mut [u8],
    state: State<'a, E>,
    pieces: Pieces,
    piece: Piece,
    steps_done: usize,
    next: Next<'a>,
    cores: Cores<'a>,
    weight_memory: WeightMemory<'a>,
    /// Of the whole signal.
    #[cfg(feature = "local")]
    local: &'a [i8],
}

/// What is to be done next.
#[derive(Debug)]
enum Next<'a> {
    /// A piece begins.
    Quantize,
    /// An op.
    Op { ops: Ops<'a>, index: u16 },
    /// The update of the piece.
    Update,
}

impl<'a, E: StateElement> LongSampler<'a, E> {
    /// From now on hands half of each op's outputs to a second core. The chain is the same, bit for bit.
    #[cfg(feature = "two-cores")]
    #[must_use = "the chain goes on in what is returned"]
    pub fn with_second_core(self, second: &'a SecondCore<'a>) -> Self {
        Self { cores: Cores::with(second), ..self }
    }

    /// From now on copies the weights of each convolution into `words` before it runs, where they fit; see
    /// [`Sampler::with_weight_memory`](crate::Sampler::with_weight_memory).
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
                Progress::Quantized | Progress::Op(_) | Progress::Piece => {}
            }
        }
    }

    /// Makes one part of a step, as [`Sampler::advance`](crate::Sampler::advance) does: for each piece in turn the
    /// network's input, its ops and the update of the piece.
    pub fn advance(&mut self) -> Progress {
        let Some(bytes) = self.plan.step_bytes(self.steps_done) else { return Progress::Done };
        match &mut self.next {
            Next::Quantize => {
                self.quantize();
                let (ops, index) = self.model.body();
                self.next = Next::Op { ops, index };
                Progress::Quantized
            }
            Next::Op { ops, index } => {
                let done = *index;
                if let Some(op) = ops.next() {
                    let biases = conditioning::step_biases(self.model, &self.condition, time_row(bytes));
                    execute::run(self.model, &biases, self.cores, &mut self.weight_memory, &op, self.arena);
                }
                *index = done.wrapping_add(1);
                if ops.is_empty() {
                    self.next = Next::Update;
                }
                Progress::Op(done)
            }
            Next::Update => {
                self.update(E::decode(bytes));
                self.next = Next::Quantize;
                match self.pieces.behind(&self.piece) {
                    Some(piece) => {
                        self.piece = piece;
                        Progress::Piece
                    }
                    None => {
                        self.piece = self.pieces.first();
                        self.steps_done += 1;
                        Progress::Stepped
                    }
                }
            }
        }
    }

    /// Writes the window as the network's input, and keeps of it what the next window sees of this piece; before that
    /// computes what depends on the window's local condition alone.
    #[inline(never)]
    fn quantize(&mut self) {
        #[cfg(feature = "local")]
        {
            let local = self.local.get(self.pieces.local_of(&self.piece)).unwrap_or_default();
            // Its length is right.
            _ = crate::local::prepare(self.model, local, self.arena);
        }
        let (header, channels) = (self.model.header(), self.model.shape()[2]);
        let at = |column: u32| column as usize * channels;
        let Piece { start, from, to } = self.piece;
        let Some(input) = self.arena.get_mut(header.input.range()) else { return };
        let (updated, new) = input.split_at_mut_checked(at(from - start)).unwrap_or_default();
        updated.iter_mut().zip(self.seen.iter()).for_each(|(slot, value)| *slot = *value);
        let x = self.state.x.get_mut(at(from)..at(from) + new.len()).unwrap_or_default();
        E::quantize(&State { values: x.len(), x, x0_prev: &mut [] }, header, new);
        if let Some(next) = self.pieces.behind(&self.piece) {
            let both = input.get(at(next.start - start)..at(to - start)).unwrap_or_default();
            self.seen.iter_mut().zip(both).for_each(|(slot, value)| *slot = *value);
        }
    }

    /// Updates the piece with what the network said.
    #[inline(never)]
    fn update(&mut self, step: E::Step) {
        let channels = self.model.shape()[2];
        let kept = self.piece.kept(channels);
        let stream = Stream::new(self.seed, self.image, self.steps_done as u32 + 1).behind((kept.start / 2) as u32);
        let skipped = (self.piece.from - self.piece.start) as usize * channels;
        let outputs = outputs::<E>(self.model, self.arena, &None, self.condition);
        let x = self.state.x.get_mut(kept.clone()).unwrap_or_default();
        let x0_prev = self.state.x0_prev.get_mut(kept).unwrap_or_default();
        let mut state = State { values: x.len(), x, x0_prev };
        let (first, clip) = (self.steps_done == 0, self.plan.clip());
        E::step(&mut state, step, first, clip, |index| E::once(&outputs, index + skipped), stream);
    }

    /// The state x_t, column by column, as it is kept; after the last step the sample.
    pub fn x(&self) -> &[E] {
        self.state.x
    }

    /// The values of the state x_t; after the last step the sample, about -1 to 1.
    pub fn values(&self) -> impl ExactSizeIterator<Item = f32> + '_ {
        (0..self.state.values).map(|index| E::value(self.state.x, index))
    }

    /// How the signal is cut.
    pub fn pieces(&self) -> Pieces {
        self.pieces
    }

    /// What is being drawn.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// Steps made so far.
    pub fn steps_done(&self) -> usize {
        self.steps_done
    }

    /// Steps of the whole plan.
    pub fn steps(&self) -> usize {
        self.plan.len()
    }

    /// CRC-32 over the bytes of x_t, as [`Sampler::digest`](crate::Sampler::digest).
    pub fn digest(&self) -> u32 {
        digest(self.state.x)
    }
}
