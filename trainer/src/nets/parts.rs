//! What specs of every kind share.
use crate::graph::{Builder, Graph};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The normalisation behind the convolutions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum NormName {
    /// None: convolutions with a bias.
    None,
    /// Batch normalisation (Ioffe & Szegedy 2015), which folds into the weights.
    #[default]
    Batch,
}

/// The network that turns a timestep and a class into biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConditioningSpec {
    /// Sines and cosines of the timestep, an even number.
    pub features: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
}

impl ConditioningSpec {
    /// Ends a graph with this conditioning network.
    ///
    /// # Errors
    /// An output of another shape than the input.
    pub fn finish(self, g: Builder, classes: &[usize]) -> Result<Graph> {
        g.finish(self.features, self.hidden, classes)
    }
}

/// Checks a number of a spec.
///
/// # Errors
/// One out of range, with the key's name.
pub fn within(key: &str, value: usize, least: usize, most: usize) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::Invalid(format!("{key} is {value}; give {least} to {most}")))
}
