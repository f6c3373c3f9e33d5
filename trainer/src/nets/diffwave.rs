//! DiffWave (Kong et al. 2021) at the size of a chip: dilated convolutions in cycles with gates, over patches of a signal.
use super::parts::{within, ConditioningSpec, NormName};
use super::patches::{placed, unpatched};
use crate::graph::{Builder, ConvGeometry, Graph, Shape};
use crate::ops::{Activation, Add, ChannelBiasLayer, ConvLayer, Gate, SpaceToDepth};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The shape of a DiffWave behind a patchify. Each layer is, with the biases of timestep and class b,
///
/// ```text
/// g = tanh(dilated(x) + b)·sigmoid(dilated'(x) + b')
/// x = x + pointwise(g)          skip = skip + pointwise'(g)
/// ```
///
/// and the sum of all skips goes through two pointwise convolutions (figure 2 of the paper). Differences: patches stand
/// for samples; biases come behind the dilated convolution rather than before it, where they cost the chip nothing; norms
/// and small first weights stand for the factor 1/√2 on the residuals.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DiffWave {
    /// Samples that become channels in front.
    pub patch: usize,
    /// Channels of a layer.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Layers of a cycle, in which the distance between kernel taps doubles from 1 on.
    pub cycle: usize,
    /// Taps of a kernel, odd.
    pub kernel: usize,
    /// Sines of the position, each with its cosine, that the first convolution sees too; 0 for none.
    #[serde(default)]
    pub positions: usize,
    /// Normalisation behind the convolutions.
    pub norm: NormName,
    /// The network that turns a timestep into biases.
    pub conditioning: ConditioningSpec,
}

/// Factor on the start scale of the convolutions whose results are added up.
const RESIDUAL_SCALE: f32 = 0.3;

impl DiffWave {
    pub(super) fn check(&self) -> Result<()> {
        within("patch", self.patch, 1, 64)?;
        within("width", self.width, 1, 4096)?;
        within("layers", self.layers, 1, 40)?;
        within("cycle", self.cycle, 1, 12)?;
        within("kernel", self.kernel, 1, 63)?;
        within("positions", self.positions, 0, 8)?;
        match self.kernel.is_multiple_of(2) {
            true => Err(Error::Invalid(format!("kernel is {}; it must be odd", self.kernel))),
            false => Ok(()),
        }
    }

    pub(super) fn build(&self, input: Shape, classes: &[usize]) -> Result<Graph> {
        if input.height != 1 {
            return Err(Error::Invalid(format!(
                "data of {input} do not fit a kind = \"diffwave\": it takes signals, 1xLENGTHxC"
            )));
        }
        let pad = input.width.next_multiple_of(self.patch) - input.width;
        let (block, pad) = ([1, self.patch], [0, pad]);
        let pointwise = ConvGeometry::square(1, 1);
        let normed = |geometry| ConvLayer::new(self.width, geometry).normed(self.norm == NormName::Batch);
        let mut g = Builder::new(input)?;
        let x = g.node("patchify", SpaceToDepth { block, pad }, &[0])?;
        let x = placed(&mut g, self.positions, x)?;
        let x = g.node("in", normed(pointwise), &[x])?;
        let mut x = g.node("in.relu", Activation::Relu, &[x])?;
        let mut skips = None;
        for layer in 0..self.layers {
            let dilation = 1 << (layer % self.cycle);
            let name = |part: &str| format!("layer{layer}.{part}");
            let mut half = |part: &str| {
                let h = g.node(&name(part), normed(ConvGeometry::line(self.kernel, dilation)), &[x])?;
                g.node(&name(&format!("{part}_bias")), ChannelBiasLayer, &[h])
            };
            let (filter, gate) = (half("filter")?, half("gate")?);
            let gated = g.node(&name("gated"), Gate, &[filter, gate])?;
            let skip = g.node(&name("skip"), normed(pointwise).scaled(RESIDUAL_SCALE), &[gated])?;
            skips = Some(match skips {
                None => skip,
                Some(sum) => g.node(&name("skips"), Add, &[skip, sum])?,
            });
            // What nobody reads behind the last layer is not computed.
            if layer + 1 < self.layers {
                let residual = g.node(&name("residual"), normed(pointwise).scaled(RESIDUAL_SCALE), &[gated])?;
                x = g.node(&name("add"), Add, &[residual, x])?;
            }
        }
        let x = skips.unwrap_or(x);
        let x = g.node("skips.relu", Activation::Relu, &[x])?;
        let x = g.node("last", normed(pointwise), &[x])?;
        let x = g.node("last.relu", Activation::Relu, &[x])?;
        let x = g.node("out", ConvLayer::new(self.patch * input.channels, pointwise).scaled(0.2), &[x])?;
        unpatched(&mut g, block, pad, x)?;
        self.conditioning.finish(g, classes)
    }
}
