//! Reverse chains: of the float network, and of a model file through the runtime.

use crate::graph::NodeId;
use crate::lower::NamedPlan;
use crate::model_file::ChainMemory;
use crate::network::Network;
use crate::{Error, Result};
use brownian::rng::Stream;
use brownian::{gaussian::normal, Condition, Model, Plan, Sampler};
use rayon::prelude::*;

/// What to draw: image i of the batch gets `condition(first + i)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classes {
    /// No class.
    None,
    /// Always this one.
    One(u16),
    /// Image i gets class i mod (number of classes).
    Cycle,
}

impl Classes {
    /// The condition of image `image` for a model with `classes` classes.
    pub fn condition(self, image: u32, classes: u16, guidance_scale: u16) -> Condition {
        let class = match self {
            Self::None => None,
            Self::One(class) => Some(class),
            Self::Cycle => (classes > 0).then(|| (image % u32::from(classes.max(1))) as u16),
        };
        Condition { class, guidance_scale }
    }
}

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
    /// Guidance scale in 1/256.
    pub guidance_scale: u16,
}

/// Runs the plan of a model through the runtime, images in parallel on the current rayon pool. Returns the
/// samples, NHWC in [-1, 1]; `done` is called once an image.
///
/// # Errors
/// A class or guidance scale that the model does not take.
pub fn integer(model: &Model, plan: Plan, batch: &Batch, done: impl Fn() + Sync) -> Result<Vec<f32>> {
    let values = model.header().input.values();
    let mut samples: Vec<f32> = Vec::new();
    let len = values.saturating_mul(batch.count);
    samples.try_reserve_exact(len).map_err(|_| Error::Usage(format!("{} images do not fit in memory", batch.count)))?;
    samples.resize(len, 0.0);
    samples.par_chunks_mut(values).enumerate().try_for_each_init(
        || ChainMemory::new(model),
        |memory, (i, out)| {
            let image = batch.first + i as u32;
            let condition = batch.classes.condition(image, model.classes(), batch.guidance_scale);
            let (arena, state) = memory.split();
            let mut sampler = Sampler::new(model, plan, condition, (batch.seed, image), arena, state)
                .map_err(|e| Error::Usage(e.to_string()))?;
            while sampler.step() {}
            out.copy_from_slice(sampler.x());
            done();
            Ok(())
        },
    )?;
    Ok(samples)
}

/// Runs a plan with the float network and the same noise as [`integer`]. `visit` sees every layer's
/// result for the whole batch at every step.
///
/// # Errors
/// A class that the network does not know.
pub fn float(
    network: &Network,
    plan: &NamedPlan,
    batch: &Batch,
    mut visit: impl FnMut(usize, NodeId, &[f32]),
) -> Result<Vec<f32>> {
    let values = network.input.len();
    let classes = network.classes() as u16;
    let image = |i: usize| batch.first + i as u32;
    let draw = |i: usize, draw: u32| Stream::new(batch.seed, image(i), draw);
    let mut x: Vec<f32> = (0..batch.count)
        .flat_map(|i| {
            let stream = draw(i, 0);
            (0..values.div_ceil(2) as u32).flat_map(move |pair| stream.words(pair).map(normal)).take(values)
        })
        .collect();
    let mut x0_prev = vec![0.0; x.len()];
    let none = network.class_bias(None)?;
    let guidance = f32::from(batch.guidance_scale) / 256.0;
    let mut class_columns = Vec::new();
    for i in 0..batch.count {
        let condition = batch.classes.condition(image(i), classes, batch.guidance_scale);
        let class = network.class_bias(condition.class.map(usize::from))?;
        class_columns.extend(class.iter().zip(&none).map(|(c, n)| n + guidance * (c - n)));
    }
    for (index, (step, time)) in plan.steps.iter().zip(network.plan_bias(plan)).enumerate() {
        let columns: Vec<f32> = class_columns.iter().zip(time.iter().cycle()).map(|(c, t)| c + t).collect();
        let output = network.forward(&x, &columns, |id, values| visit(index, id, values))?;
        x.par_chunks_mut(values)
            .zip(x0_prev.par_chunks_mut(values))
            .zip(output.par_chunks(values))
            .enumerate()
            .for_each(|(i, ((x, x0_prev), output))| {
                let stream = draw(i, index as u32 + 1);
                brownian::update(step, plan.clip, x, x0_prev, |k| output[k], |pair| stream.words(pair).map(normal));
            });
    }
    Ok(x)
}
