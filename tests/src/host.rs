//! Chains on the host.

use anyhow::Result;
use brownian::host::ChainMemory;
use brownian::{Condition, Model, Sampler};

/// What a chain gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Digest after each step.
    pub digests: Vec<u32>,
    /// The sample, `[height][width][channels]`.
    pub sample: Vec<f32>,
}

/// Draws image 0 of `seed` with the plan of this name.
pub fn draw(model: &Model, plan: &str, condition: Condition, seed: u64) -> Result<Chain> {
    let plan = model.plan(plan).ok_or_else(|| anyhow::anyhow!("the model has no plan '{plan}'"))?;
    let mut memory = ChainMemory::new(model);
    let mut sampler = memory.start(Sampler::builder(model, plan).condition(condition).seed(seed))?;
    let mut digests = Vec::new();
    while sampler.step() {
        digests.push(sampler.digest());
    }
    Ok(Chain { digests, sample: sampler.x().to_vec() })
}

/// The condition that draws class seed mod classes, or no class where the model knows none.
pub fn condition(model: &Model, seed: u64) -> Condition {
    seed.checked_rem(model.classes().into()).map_or(Condition::NONE, |class| Condition::class(class as u16))
}
