//! Chains on the host.

use anyhow::Result;
use brownian::host::ChainMemory;
use brownian::{with_state_element, Condition, Model, Sampler};
use brownian_board::request::of_seed;

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
    with_state_element!(model, Element => {
        let mut sampler = memory.start::<Element>(Sampler::builder(model, plan).condition(condition).seed(seed))?;
        let mut digests = Vec::new();
        while sampler.step() {
            digests.push(sampler.digest());
        }
        Ok(Chain { digests, sample: sampler.values().collect() })
    })
}

/// The condition that draws class seed mod classes (of several axes, the combination of that number), or no class where
/// the model knows none.
pub fn condition(model: &Model, seed: u64) -> Condition {
    of_seed(model, seed)
}
