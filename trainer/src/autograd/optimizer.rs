//! The flat parameter vector as a dfdx tensor, and Adam over it.
use super::tape::{Grads, OpResult, Vector};
use dfdx::prelude::{Cpu, CpuError, TensorFromVec};
use dfdx::tensor_ops::{AdamConfig, WeightDecay};
use std::sync::Arc;

/// All parameters of a network in one flat vector, with one gradient of the same length.
#[derive(Clone, Debug)]
pub struct Parameters {
    values: Arc<Vec<f32>>,
    tensor: Vector,
}

impl Parameters {
    /// Parameters with these values.
    pub fn new(values: Vec<f32>) -> Self {
        let tensor = Cpu::default().tensor_from_vec(values.clone(), (values.len(),));
        Self { values: Arc::new(values), tensor }
    }

    /// The values.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// The gradient, zeros if nothing was added yet.
    ///
    /// # Errors
    /// Out of memory.
    pub fn grad<'a>(&self, grads: &'a mut Grads) -> Result<&'a mut [f32], CpuError> {
        Ok(grads.get_or_alloc_mut(&self.tensor)?.as_mut_slice())
    }
}

/// Adam (Kingma & Ba 2015) with its two moments.
#[derive(Debug)]
pub struct Adam {
    config: AdamConfig,
    first: Grads,
    second: Grads,
}

impl Adam {
    /// Adam with decay rates `betas` whose moments start at zero.
    pub fn new(betas: [f64; 2]) -> Self {
        let config = AdamConfig { betas, eps: 1e-8, weight_decay: None, lr: 0.0 };
        Self { config, first: Grads::leaky(), second: Grads::leaky() }
    }

    /// The same with decoupled weight decay (Loshchilov & Hutter 2019): each update takes `rate` times the learning
    /// rate of every parameter away.
    pub fn with_decay(mut self, rate: f64) -> Self {
        self.config.weight_decay = Some(WeightDecay::Decoupled(rate));
        self
    }

    /// The two moments, for a checkpoint or to be restored from one.
    ///
    /// # Errors
    /// Out of memory.
    pub fn moments(&mut self, params: &Parameters) -> Result<[&mut [f32]; 2], CpuError> {
        Ok([params.grad(&mut self.first)?, params.grad(&mut self.second)?])
    }

    /// One update with learning rate `lr`; `step` counts from 1.
    ///
    /// # Errors
    /// Out of memory.
    pub fn update(&mut self, params: &mut Parameters, grads: &mut Grads, step: u64, lr: f64) -> OpResult {
        self.config.lr = lr;
        let identity = params.tensor.clone();
        let first = self.first.get_or_alloc_mut(&identity)?;
        let second = self.second.get_or_alloc_mut(&identity)?;
        let grad = grads.get_or_alloc_mut(&identity)?;
        let step = i32::try_from(step).unwrap_or(i32::MAX);
        self.config.try_update(step, &mut params.tensor, first, second, grad)?;
        let values = Arc::make_mut(&mut params.values);
        params.tensor.copy_into(values);
        Ok(())
    }
}
