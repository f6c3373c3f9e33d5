//! How a chain is asked for.

use crate::conditioning::{Condition, Guidance};
use crate::cores::Cores;
use crate::error::SamplerError;
use crate::format::BLOB_ALIGN;
use crate::image::{Given, Image};
use crate::inpaint::{Inpainting, Keeping, KnownPixels};
use crate::model::{Model, Plan};
use crate::plan::STEP_LEN;
use crate::process::chain::State;
use crate::process::element::StateElement;
use crate::random::Stream;
use crate::sampler::{Next, Sampler};
use crate::two_evaluations::{self, TwoEvaluations};
use crate::weight_memory::WeightMemory;

impl<'a, E: StateElement> Sampler<'a, E> {
    /// A chain of `model` that follows `plan`: say what it draws, then [`start`](Builder::start) it. Without more it
    /// draws image 0 of seed 0 without a class.
    ///
    /// ```
    /// use brownian::{include_model, Arena, Model, Sampler};
    ///
    /// static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
    /// let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    /// let mut state = [0.0; brownian::state_len(FILE)];
    ///
    /// let model = Model::parse(FILE)?;
    /// let plan = model.plan("fast5").expect("the model has this plan");
    /// let mut sampler = Sampler::builder(&model, plan)
    ///     .seed(1)
    ///     .class(7)
    ///     .guidance(1.5)
    ///     .start(arena.bytes_mut(), &mut state)?;
    /// while sampler.step() {}
    /// assert!(sampler.x().iter().all(|value| value.abs() <= 1.0));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn builder(model: &'a Model<'a>, plan: Plan<'a>) -> Builder<'a, E> {
        Builder {
            model,
            plan,
            seed: 0,
            image: 0,
            condition: Condition::NONE,
            guidance: None,
            two_evaluations: None,
            from_image: None,
            inpainting: None,
            #[cfg(feature = "local")]
            local: &[],
        }
    }
}

/// A chain that is asked for; see [`Sampler::builder`].
///
/// Code that a chain does not ask for is not linked: two evaluations, image-to-image and inpainting cost a firmware
/// nothing that does not call them here.
#[derive(Clone, Copy, Debug)]
#[must_use = "a builder does nothing until it is started"]
pub struct Builder<'a, E: StateElement = f32> {
    pub(crate) model: &'a Model<'a>,
    pub(crate) plan: Plan<'a>,
    pub(crate) seed: u64,
    pub(crate) image: u32,
    /// Without its guidance.
    condition: Condition,
    guidance: Option<Result<Guidance, SamplerError>>,
    pub(crate) two_evaluations: Option<&'static two_evaluations::Functions<E>>,
    pub(crate) from_image: Option<FromImage<'a, E>>,
    pub(crate) inpainting: Option<Inpainting<'a, E>>,
    #[cfg(feature = "local")]
    pub(crate) local: &'a [i8],
}

/// Where image-to-image starts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FromImage<'a, E: StateElement> {
    image: Image<'a>,
    step: usize,
    start: fn(&mut State<E>, Image, &[u8; STEP_LEN], Stream),
}

impl<'a, E: StateElement> Builder<'a, E> {
    /// The seed of all noise.
    pub fn seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The number of the image; images of one seed have independent noise.
    pub fn image(self, image: u32) -> Self {
        Self { image, ..self }
    }

    /// Draws this class, of a model with one axis of labels.
    pub fn class(self, class: u16) -> Self {
        Self { condition: Condition::class(class), ..self }
    }

    /// Draws this class on axis number `axis` of [`Model::axes`]; the other axes stay as they are, without a class if
    /// none was asked for.
    ///
    /// ```
    /// # use brownian::{include_model, Arena, Model, Sampler};
    /// # static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
    /// # let mut arena = Arena::<{ brownian::arena_len(FILE) }>::new();
    /// # let mut state = [0.0; brownian::state_len(FILE)];
    /// # let model = Model::parse(FILE)?;
    /// # let plan = model.plans().next().unwrap();
    /// let digit = model.axis("class").expect("the model knows classes");
    /// let seven = digit.class("7").expect("and this one is among them");
    /// let chain = Sampler::builder(&model, plan).class_on(digit.index(), seven);
    /// let sampler = chain.start(arena.bytes_mut(), &mut state)?;
    /// assert_eq!(sampler.condition().class_on(0), Some(7));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn class_on(self, axis: usize, class: u16) -> Self {
        Self { condition: self.condition.with(axis, class), ..self }
    }

    /// Bends the draw towards the class by this scale from 0 to 16; see [`Guidance::new`], which says how it is
    /// rounded.
    pub fn guidance(self, scale: f32) -> Self {
        Self { guidance: Some(Guidance::new(scale)), ..self }
    }

    /// Applies the guidance to the network's output, from two evaluations a step; see [`Guidance::two_evaluations`].
    /// The state needs [`Model::state_len_two_evaluations`] values.
    pub fn two_evaluations(self) -> Self {
        Self { two_evaluations: Some(two_evaluations::Functions::ALL), ..self }
    }

    /// Draws what `condition` says, in place of [`class`](Self::class), [`class_on`](Self::class_on),
    /// [`guidance`](Self::guidance) and [`two_evaluations`](Self::two_evaluations).
    pub fn condition(self, condition: Condition) -> Self {
        let guidance = condition.guidance();
        let two_evaluations = guidance.evaluates_twice().then_some(two_evaluations::Functions::ALL);
        let guidance = (!condition.is_none()).then_some(Ok(guidance));
        Self { condition: condition.under(Guidance::PLAIN), guidance, two_evaluations, ..self }
    }

    /// Image-to-image: the chain starts from `image`, noised to the level at which step number `step` (counted
    /// from 0) begins, and makes the steps from that one on. The later the step, the more of the image stays.
    pub fn from_image(self, image: Image<'a>, step: usize) -> Self {
        Self { from_image: Some(FromImage { image, step, start: start_from::<E> }), ..self }
    }

    /// Inpainting: after every step, and before the first, the pixels that `known` names are those of its image,
    /// noised to the level that x then has, with one noise for the whole chain; after the last step they are
    /// the image itself. The network draws the other pixels to suit them.
    pub fn inpaint(self, known: KnownPixels<'a>) -> Self {
        Self { inpainting: Some(Inpainting::replacing(known)), ..self }
    }

    /// Inpainting, or denoising, by multiplying distributions: what [`Keeping::Multiply`] says of the known pixels, with
    /// noise of standard deviation `deviation` on them, 0 to 10. The mask of an image to denoise names all pixels.
    pub fn multiply(self, known: KnownPixels<'a>, deviation: f32) -> Self {
        Self { inpainting: Some(Inpainting::multiplying(known, deviation)), ..self }
    }

    /// [`inpaint`](Self::inpaint) or [`multiply`](Self::multiply), as `keeping` says.
    pub fn keep(self, known: KnownPixels<'a>, keeping: Keeping) -> Self {
        Self { inpainting: Some(Inpainting::by(known, keeping)), ..self }
    }

    /// Follows this local condition, HWC, of [`Model::local_shape`] values, which [`local_value`](crate::local_value) makes
    /// of real ones. What depends on it alone is computed when the chain [starts](Self::start).
    #[cfg(feature = "local")]
    pub fn local(self, local: &'a [i8]) -> Self {
        Self { local, ..self }
    }

    /// Draws x_T, or noises the image to start from; no step is made yet.
    ///
    /// `arena` needs [`Model::arena_len`] bytes at a multiple of 16, `state` [`Model::state_len`] values of the element
    /// that the file names ([`Model::state_kind`]), or
    /// [`Model::state_len_two_evaluations`] for two evaluations; longer ones are used in part. Their contents do not
    /// matter.
    ///
    /// # Errors
    /// Memory that does not fit or is of the other element, a plan of another model, a class or an axis that the model does not know, a class without
    /// its axis where there are several, guidance without a
    /// class or with a scale that is not from 0 to 16, images, a mask or a local condition of another size, or a step to start from that
    /// the plan does not have.
    pub fn start(self, arena: &'a mut [u8], state: &'a mut [E]) -> Result<Sampler<'a, E>, SamplerError> {
        let condition = self.whole_condition()?;
        if let Some(inpainting) = &self.inpainting {
            inpainting.check(self.model, &self.plan)?;
        }
        let mut sampler =
            Sampler::at(self.model, self.plan, condition, self.two_evaluations, self.inpainting, arena, state)?;
        #[cfg(feature = "local")]
        sampler.follow(self.local)?;
        (sampler.seed, sampler.image) = (self.seed, self.image);
        let plan = self.plan;
        E::draw(&mut sampler.state, plan.start(), plan.step_bytes(0), Stream::new(self.seed, self.image, 0));
        if let Some(from) = self.from_image {
            from.image.check(self.model.sample_len())?;
            let steps = self.plan.len() as u32;
            let first = self.plan.step_bytes(from.step).ok_or(SamplerError::Start { steps })?;
            (sampler.start, sampler.steps_done) = (from.step, from.step);
            let stream = Stream::new(self.seed, self.image, Stream::START);
            (from.start)(&mut sampler.state, from.image, first, stream);
        }
        sampler.place_known();
        Ok(sampler)
    }

    /// What is to be drawn, with its guidance.
    #[inline(always)]
    pub(crate) fn whole_condition(&self) -> Result<Condition, SamplerError> {
        let mut condition = self.condition;
        if let Some(guidance) = self.guidance {
            condition = condition.under(guidance?);
        }
        if self.two_evaluations.is_some() {
            condition = condition.under(condition.guidance().two_evaluations());
        }
        match condition.is_none() && (self.guidance.is_some() || self.two_evaluations.is_some()) {
            true => Err(SamplerError::GuidanceWithoutClass),
            false => Ok(condition),
        }
    }
}

/// Noises `image` to the level of the step that the chain starts with.
fn start_from<E: StateElement>(state: &mut State<E>, image: Image, first: &[u8; STEP_LEN], stream: Stream) {
    E::place(state, Some(first), &Given::all(image), stream);
}

impl<'a, E: StateElement> Sampler<'a, E> {
    /// A chain before its first step, image 0 of seed 0, whose state is not set.
    pub(crate) fn at(
        model: &'a Model<'a>,
        plan: Plan<'a>,
        condition: Condition,
        two_evaluations: Option<&'static two_evaluations::Functions<E>>,
        inpainting: Option<Inpainting<'a, E>>,
        arena: &'a mut [u8],
        state: &'a mut [E],
    ) -> Result<Self, SamplerError> {
        if !model.has(&plan) {
            return Err(SamplerError::ForeignPlan);
        }
        condition.check(model)?;
        if E::KIND != model.state_kind() {
            return Err(SamplerError::StateElement { kind: model.state_kind() });
        }
        let arena = check_arena(model, arena)?;
        let twice = two_evaluations.is_some();
        let needed = if twice { model.state_len_two_evaluations() } else { model.state_len() };
        let short = SamplerError::StateLength { needed: needed as u32, found: state.len() as u32 };
        let (state, rest) = state.split_at_mut_checked(model.state_len()).ok_or(short)?;
        let values = model.sample_len();
        let (x, x0_prev) = state.split_at_mut_checked(E::KIND.elements(values)).ok_or(short)?;
        let multistep = !x0_prev.is_empty();
        let x0_prev = two_evaluations::halves(x0_prev, if multistep { model.sample_len() } else { 0 }).ok_or(short)?;
        let state = State { x, values, x0_prev };
        let two_evaluations = match two_evaluations {
            None => None,
            Some(functions) => {
                let unconditional = (functions.divide)(rest, model.sample_len()).ok_or(short)?;
                Some(TwoEvaluations { unconditional, functions })
            }
        };
        Ok(Self {
            model,
            plan,
            condition,
            seed: 0,
            image: 0,
            arena,
            state,
            two_evaluations,
            inpainting,
            start: 0,
            steps_done: 0,
            next: Next::Begin,
            cores: Cores::ONE,
            weight_memory: WeightMemory::none(),
            #[cfg(feature = "local")]
            local: &[],
        })
    }

    /// Follows a local condition from now on, of a chain that has made no step.
    #[cfg(feature = "local")]
    pub(crate) fn follow(&mut self, local: &'a [i8]) -> Result<(), SamplerError> {
        self.local = local;
        crate::local::prepare(self.model, local, self.arena)
    }
}

/// The part of the arena that the model needs.
pub(crate) fn check_arena<'a>(model: &Model, arena: &'a mut [u8]) -> Result<&'a mut [u8], SamplerError> {
    check_aligned(model.arena_len(), arena)
}

/// The first `needed` bytes of an arena.
pub(crate) fn check_aligned(needed: usize, arena: &mut [u8]) -> Result<&mut [u8], SamplerError> {
    if !(arena.as_ptr() as usize).is_multiple_of(BLOB_ALIGN) {
        return Err(SamplerError::ArenaMisaligned);
    }
    let short = SamplerError::ArenaLength { needed: needed as u32, found: arena.len() as u32 };
    arena.get_mut(..needed).ok_or(short)
}
