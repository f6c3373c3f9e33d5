//! Dense layers with residuals, for data without neighbours: vectors of 1×1×C.
use super::parts::{within, ConditioningSpec};
use crate::graph::{Builder, Graph, Shape};
use crate::ops::{Activation, Add, ChannelBiasLayer, LinearLayer};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// A multilayer perceptron: in, residual blocks, out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Perceptron {
    /// Values between the layers.
    pub width: usize,
    /// Residual blocks of two dense layers each.
    pub blocks: usize,
    /// The network that turns a timestep into biases.
    pub conditioning: ConditioningSpec,
}

impl Perceptron {
    pub(super) fn check(&self) -> Result<()> {
        within("width", self.width, 1, 4096)?;
        within("blocks", self.blocks, 1, 64)
    }

    pub(super) fn build(&self, input: Shape, classes: &[usize]) -> Result<Graph> {
        if input.pixels() != 1 {
            return Err(Error::Invalid(format!(
                "data of {input} does not fit a kind = \"mlp\": it takes vectors, 1x1xC"
            )));
        }
        let mut g = Builder::new(input)?;
        let mut x = g.node("in", LinearLayer(self.width), &[0])?;
        for i in 0..self.blocks {
            let h = g.node(&format!("block{i}.silu1"), Activation::Silu, &[x])?;
            let h = g.node(&format!("block{i}.linear1"), LinearLayer(self.width), &[h])?;
            let h = g.node(&format!("block{i}.bias"), ChannelBiasLayer, &[h])?;
            let h = g.node(&format!("block{i}.silu2"), Activation::Silu, &[h])?;
            let h = g.node(&format!("block{i}.linear2"), LinearLayer(self.width), &[h])?;
            x = g.node(&format!("block{i}.add"), Add, &[h, x])?;
        }
        let x = g.node("out.silu", Activation::Silu, &[x])?;
        g.node("out", LinearLayer(input.channels), &[x])?;
        self.conditioning.finish(g, classes)
    }
}
