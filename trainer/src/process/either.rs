//! What training and evaluation ask of a process, whichever it is.
use super::{Binomial, Gaussian};
use crate::autograd::loss::{weighted_mse, Loss};
use crate::autograd::{Act, Tape};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

/// A process with what a network learns of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Process {
    /// Values with noise.
    Gaussian(Gaussian),
    /// Bits that are drawn anew.
    Binomial(Binomial),
}

impl Process {
    /// T.
    pub fn timesteps(&self) -> usize {
        match self {
            Self::Gaussian(process) => process.timesteps(),
            Self::Binomial(process) => process.timesteps(),
        }
    }

    /// A random number as [`noise`](Self::noise) takes one a value.
    pub fn random(&self, rng: &mut ChaCha8Rng) -> f32 {
        match self {
            Self::Gaussian(_) => rng.sample(StandardNormal),
            Self::Binomial(_) => rng.random(),
        }
    }

    /// The forward process of an image: `x` holds x0 and receives x_t, `target` holds [random numbers](Self::random) and
    /// receives what the network is to answer.
    pub fn noise(&self, t: usize, x: &mut [f32], target: &mut [f32]) {
        match self {
            Self::Gaussian(process) => process.noise(t, x, target),
            Self::Binomial(process) => process.noise(t, x, target),
        }
    }

    /// The loss of an image: of the output `f` for `x` = x_t, a mean over values.
    pub fn image_loss(&self, t: usize, x: &[f32], target: &[f32], f: &[f32]) -> f64 {
        match self {
            Self::Gaussian(process) => process.image_loss(t, x, target, f),
            Self::Binomial(process) => process.image_loss(t, x, target, f),
        }
    }

    /// Records the same of a batch, a mean over its images, one timestep an image.
    pub fn loss(&self, tape: &mut Tape, f: &Act, x: &[f32], target: &[f32], timesteps: &[usize]) -> Loss {
        match self {
            Self::Gaussian(process) => {
                let weights: Vec<f32> = timesteps.iter().map(|t| process.weight(*t) as f32).collect();
                weighted_mse(tape, f, target, &weights)
            }
            Self::Binomial(process) => process.loss(tape, f, x, target, timesteps),
        }
    }

    /// What the network's errors are measured on where two are compared: ε̂, or of a bit 2·p̂ − 1.
    pub fn estimate(&self, t: usize, x: f32, f: f32) -> f32 {
        match self {
            Self::Gaussian(process) => process.eps_hat(t).single().of(x, f),
            Self::Binomial(process) => (2.0 * process.p_hat(t, x, f) - 1.0) as f32,
        }
    }
}
