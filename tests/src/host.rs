//! Chains on the host.

use anyhow::{anyhow, Context, Result};
use brownian::{Condition, Model, Sampler};
use std::path::Path;

/// A model file in memory, at an address that is a multiple of 16.
#[derive(Debug, Clone)]
pub struct HostModel {
    words: Vec<u128>,
    len: usize,
}

/// What a chain gave.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Digest after each step.
    pub digests: Vec<u32>,
    /// The sample, `[height][width][channels]`.
    pub sample: Vec<f32>,
}

impl HostModel {
    /// Reads a file and checks that it is a model.
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let model = Self::from_bytes(&bytes);
        Model::parse(model.bytes()).map_err(|error| anyhow!("{}: {error}", path.display()))?;
        Ok(model)
    }

    /// Copies `bytes`, which may be no model, to aligned memory.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let mut words = vec![0u128; bytes.len().div_ceil(16)];
        bytemuck::cast_slice_mut::<u128, u8>(&mut words)[..bytes.len()].copy_from_slice(bytes);
        Self { words, len: bytes.len() }
    }

    /// The file's bytes.
    pub fn bytes(&self) -> &[u8] {
        &bytemuck::cast_slice(&self.words)[..self.len]
    }

    /// The model.
    pub fn parse(&self) -> Result<Model<'_>> {
        Ok(Model::parse(self.bytes())?)
    }

    /// Draws image 0 of `seed` with a plan.
    pub fn sample(&self, plan: &str, condition: Condition, seed: u64) -> Result<Chain> {
        let model = self.parse()?;
        let plan = model.plan(plan).with_context(|| format!("the model has no plan '{plan}'"))?;
        let mut arena = vec![0u128; model.arena_len().div_ceil(16)];
        let mut state = vec![0f32; model.state_len()];
        let arena = bytemuck::cast_slice_mut(&mut arena);
        let mut sampler = Sampler::new(&model, plan, condition, (seed, 0), arena, &mut state)?;
        let mut digests = Vec::new();
        while sampler.step() {
            digests.push(sampler.digest());
        }
        Ok(Chain { digests, sample: sampler.x().to_vec() })
    }

    /// The condition that draws class seed mod classes, or no class where the model knows none.
    pub fn condition(&self, seed: u64) -> Result<Condition> {
        let classes = u64::from(self.parse()?.classes());
        Ok(seed.checked_rem(classes).map_or(Condition::NONE, |class| Condition::class(class as u16)))
    }
}
