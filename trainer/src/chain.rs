//! Reverse chains: of the float network, and of a model file through the runtime.

use crate::graph::NodeId;
use crate::network::Network;
use crate::plans::NamedPlan;
use crate::{Error, Result};
pub use brownian::host::Classes;
use brownian::host::{AlignedBytes, ChainMemory};
use brownian::random::Stream;
use brownian::{
    with_state_element, Condition, Guidance, Image, Keeping, KnownPixels, Model, Pieces, Plan, Sampler, StateElement,
    MAX_AXES,
};
use rayon::prelude::*;

/// A batch of chains.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// Seed of all noise.
    pub seed: u64,
    /// Number of the first image.
    pub first: u32,
    /// Number of images.
    pub count: usize,
    /// Classes.
    pub classes: Classes,
    /// How strongly classes bend the draws; images without a class are not bent.
    pub guidance: Guidance,
}

impl Batch {
    /// What image `image` shows, for a model with so many classes an axis.
    pub(crate) fn condition(&self, image: u32, counts: &[u16]) -> Condition {
        self.classes.condition(image, counts, self.guidance)
    }
}

/// What chains are given beside noise: images that they start from or keep, NHWC, and local conditions; image i of a batch
/// gets number i modulo their count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Edit<'a> {
    /// Image-to-image: the images, and the number of the first step.
    pub from: Option<(&'a [f32], usize)>,
    /// Inpainting: the images, and the mask of what is kept, see [`KnownPixels::mask`].
    pub known: Option<(&'a [f32], &'a [u8])>,
    /// How it keeps that.
    pub keeping: Keeping,
    /// The local conditions that chains follow, one after the other, of a model that follows one.
    pub locals: &'a [i8],
}

impl<'a> Edit<'a> {
    /// What inpainting keeps in image `image` of `values` values.
    pub fn known(&self, image: u32, values: usize) -> Option<KnownPixels<'a>> {
        self.known.map(|(images, mask)| KnownPixels { image: pick(images, image, values), mask })
    }

    /// Starts the chain of image `image`.
    ///
    /// # Errors
    /// What the sampler refuses.
    pub fn start<'m, E: StateElement>(
        &self,
        model: &'m Model<'m>,
        plan: Plan<'m>,
        batch: &Batch,
        image: u32,
        memory: &'m mut ChainMemory,
    ) -> Result<Sampler<'m, E>>
    where
        'a: 'm,
    {
        let values = model.sample_len();
        let condition = batch.condition(image, model.class_counts());
        let mut chain = Sampler::builder(model, plan).condition(condition).seed(batch.seed).image(image);
        if let Some((images, step)) = self.from {
            chain = chain.from_image(pick(images, image, values), step);
        }
        if let Some(known) = self.known(image, values) {
            chain = chain.keep(known, self.keeping);
        }
        if let Some(shape) = model.local_shape().filter(|_| !self.locals.is_empty()) {
            chain = chain.local(local_of(self.locals, image, shape));
        }
        let (arena, state) = memory.split_as();
        chain.start(arena, state).map_err(|e| Error::Usage(e.to_string()))
    }
}

/// The local condition of image number `image`: number `image` modulo the count of `locals`, which are of `shape`.
pub fn local_of(locals: &[i8], image: u32, shape: [usize; 3]) -> &[i8] {
    let len = shape.iter().product::<usize>().max(1);
    let first = image as usize % (locals.len() / len).max(1) * len;
    locals.get(first..first + len).unwrap_or(locals)
}

/// Image number `image` modulo the count of `images`.
fn pick(images: &[f32], image: u32, values: usize) -> Image<'_> {
    let count = (images.len() / values.max(1)).max(1);
    let first = image as usize % count * values;
    Image::Values(images.get(first..first + values).unwrap_or(images))
}

/// Runs the plan of a model through the runtime, images in parallel on the current rayon pool. Returns the
/// samples, NHWC in [-1, 1]; `done` is called once an image.
///
/// # Errors
/// A class or guidance scale that the model does not take.
pub fn integer(model: &Model, plan: Plan, batch: &Batch, done: impl Fn() + Sync) -> Result<Vec<f32>> {
    edited(model, plan, batch, &Edit::default(), done)
}

/// Like [`integer`], with images to start from or to keep.
///
/// # Errors
/// Also images, a mask or a first step that do not fit the model.
pub fn edited(model: &Model, plan: Plan, batch: &Batch, edit: &Edit, done: impl Fn() + Sync) -> Result<Vec<f32>> {
    with_state_element!(model, Element => each(model, batch, model.sample_len(), |image, memory, out| {
        let mut sampler = edit.start::<Element>(model, plan, batch, image, memory)?;
        while sampler.step() {}
        out.iter_mut().zip(sampler.values()).for_each(|(slot, value)| *slot = value);
        done();
        Ok(())
    }))
}

/// Like [`edited`], but returns for each image the x0_hat of every step that is made, the last of which is the
/// sample wherever a plan ends at x0_hat, as all plans of [`brownian::plan`] do.
///
/// # Errors
/// As [`edited`].
pub fn previews(model: &Model, plan: Plan, batch: &Batch, edit: &Edit, done: impl Fn() + Sync) -> Result<Vec<f32>> {
    let values = model.sample_len();
    let steps = plan.len() - edit.from.map_or(0, |(_, step)| step.min(plan.len() - 1));
    with_state_element!(model, Element => each(model, batch, values * steps, |image, memory, out| {
        let mut sampler = edit.start::<Element>(model, plan, batch, image, memory)?;
        for out in out.chunks_mut(values) {
            if let Some(preview) = sampler.evaluate() {
                out.iter_mut().zip(preview.x0_hat()).for_each(|(slot, value)| *slot = value);
            }
            sampler.step();
        }
        done();
        Ok(())
    }))
}

/// Like [`integer`], of signals longer than the model's own, cut into these pieces; `locals` are the local conditions of
/// whole signals, one after the other, of which image i follows number i modulo their count.
///
/// # Errors
/// As [`integer`].
pub fn long(
    model: &Model,
    plan: Plan,
    batch: &Batch,
    pieces: Pieces,
    locals: &[i8],
    done: impl Fn() + Sync,
) -> Result<Vec<f32>> {
    let values = pieces.length() * model.shape()[2];
    with_state_element!(model, Element => each(model, batch, values, |image, _, out| {
        let condition = batch.condition(image, model.class_counts());
        let local = local_of(locals, image, [1, 1, pieces.local_len()]);
        let chain = Sampler::builder(model, plan).condition(condition).seed(batch.seed).image(image).local(local);
        let mut arena = AlignedBytes::zeroed(pieces.arena_len());
        let mut state = vec![<Element as StateElement>::ZERO; pieces.state_len()];
        let sampler = chain.start_long(pieces, arena.bytes_mut(), &mut state);
        let mut sampler = sampler.map_err(|e| Error::Usage(e.to_string()))?;
        while sampler.step() {}
        out.iter_mut().zip(sampler.values()).for_each(|(slot, value)| *slot = value);
        done();
        Ok(())
    }))
}

/// Calls `run` for every image of the batch, in parallel, with its number and its `len` values of the result.
fn each(
    model: &Model,
    batch: &Batch,
    len: usize,
    run: impl Fn(u32, &mut ChainMemory, &mut [f32]) -> Result<()> + Sync,
) -> Result<Vec<f32>> {
    let mut results: Vec<f32> = Vec::new();
    let all = len.saturating_mul(batch.count);
    results.try_reserve_exact(all).map_err(|_| Error::Usage(format!("{} images do not fit in memory", batch.count)))?;
    results.resize(all, 0.0);
    results
        .par_chunks_mut(len)
        .enumerate()
        .try_for_each_init(|| ChainMemory::new(model), |memory, (i, out)| run(batch.first + i as u32, memory, out))?;
    Ok(results)
}

/// Runs a plan with the float network and the same noise as [`integer`]. `visit` sees every layer's
/// result for the whole batch at every step, under [`Guidance::two_evaluations`] first without the classes, then with
/// them.
///
/// # Errors
/// A class that the network does not know.
pub fn float(
    network: &Network,
    plan: &NamedPlan,
    batch: &Batch,
    mut visit: impl FnMut(usize, NodeId, &[f32]),
) -> Result<Vec<f32>> {
    let values = network.graph.input.len();
    let image = |i: usize| batch.first + i as u32;
    let draw = |i: usize, draw: u32| Stream::new(batch.seed, image(i), draw);
    let mut x = vec![0.0; batch.count * values];
    x.chunks_mut(values).enumerate().for_each(|(i, x)| plan.begin(x, draw(i, 0)));
    let mut x0_prev = vec![0.0; x.len()];
    let none = network.class_bias(&[])?;
    let locals = network.locals_of(batch.first as usize, batch.count)?;
    let counts: Vec<u16> = network.classes().iter().map(|count| *count as u16).collect();
    let scale = batch.guidance.scale();
    let twice = batch.guidance.evaluates_twice() && network.is_conditioned() && batch.classes != Classes::None;
    let bias_scale = if twice { 1.0 } else { scale };
    let none_columns = none.repeat(batch.count);
    let mut class_columns = Vec::new();
    for i in 0..batch.count {
        let condition = batch.condition(image(i), &counts);
        let classes: Vec<_> = (0..MAX_AXES).map(|axis| condition.class_on(axis).map(usize::from)).collect();
        let class = network.class_bias(&classes)?;
        class_columns.extend(class.iter().zip(&none).map(|(c, n)| n + bias_scale * (c - n)));
    }
    for (index, time) in network.plan_bias(plan).into_iter().enumerate() {
        let mut evaluate = |columns: &[f32]| {
            let columns: Vec<f32> = columns.iter().zip(time.iter().cycle()).map(|(c, t)| c + t).collect();
            network.forward(&x, &columns, &locals, |id, values| visit(index, id, values))
        };
        let unconditional = if twice { Some(evaluate(&none_columns)?) } else { None };
        let mut output = evaluate(&class_columns)?;
        if let Some(unconditional) = unconditional {
            output.iter_mut().zip(unconditional).for_each(|(c, u)| *c = u + scale * (*c - u));
        }
        x.par_chunks_mut(values)
            .zip(x0_prev.par_chunks_mut(values))
            .zip(output.par_chunks(values))
            .enumerate()
            .for_each(|(i, (x, output))| plan.steps.advance(index, plan.clip, x, output, draw(i, index as u32 + 1)));
    }
    Ok(x)
}
