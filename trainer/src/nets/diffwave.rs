//! DiffWave (Kong et al. 2021) at the size of a chip: dilated convolutions in cycles with gates, over patches of a signal.
use super::parts::{within, ConditioningSpec, NormName};
use super::patches::{placed, unpatched};
use crate::graph::{Builder, ConvGeometry, Graph, Shape};
use crate::ops::{Activation, Add, ChannelBiasLayer, ConvLayer, Gate, LocalCondition, SpaceToDepth, Upsample};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The shape of a DiffWave behind a patchify. Each layer is, with the biases of timestep and class b,
///
/// ```text
/// g = tanh(dilated(x) + b)·sigmoid(dilated'(x) + b')
/// x = x + pointwise(g)          skip = skip + pointwise'(g)
/// ```
///
/// and the sum of all skips goes through two pointwise convolutions (figure 2 of the paper). With a local condition, of
/// which a small network makes `c` once a chain, the dilated convolutions read x + c (section 3.2). Differences: patches stand
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
    /// The local condition that it follows, if it follows one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Local>,
    /// The network that turns a timestep into biases.
    pub conditioning: ConditioningSpec,
}

/// A local condition: the log-mel spectrogram of what is to be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Local {
    /// Bands of a frame.
    pub bands: usize,
    /// Samples from frame to frame, a multiple of the patch.
    pub hop: usize,
}

impl Local {
    /// Frames of a signal.
    ///
    /// # Errors
    /// A signal that is no whole frames, or frames that are no whole patches.
    fn frames(self, samples: usize, patch: usize) -> Result<usize> {
        let Self { hop, .. } = self;
        if !hop.is_multiple_of(patch) {
            return Err(Error::Invalid(format!("local.hop is {hop}; it must be a multiple of the patch of {patch}")));
        }
        if !samples.is_multiple_of(hop) {
            return Err(Error::Invalid(format!(
                "signals of {samples} samples are no whole frames of {hop}; give --length {}",
                samples.next_multiple_of(hop)
            )));
        }
        Ok(samples / hop)
    }
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
        if let Some(local) = self.local {
            within("local.bands", local.bands, 1, 1024)?;
            within("local.hop", local.hop, 1, 4096)?;
        }
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
        // First, so that it comes first on the chip, too, which computes it once a chain.
        let local = match self.local {
            None => None,
            Some(local) => {
                let frames = local.frames(input.width, self.patch)?;
                let c = g.node("local", LocalCondition { frames, bands: local.bands }, &[])?;
                let c = g.node("local.in", normed(ConvGeometry::line(3, 1)), &[c])?;
                let c = g.node("local.relu", Activation::Relu, &[c])?;
                Some((g.node("local.out", normed(pointwise), &[c])?, local.hop / self.patch))
            }
        };
        let x = g.node("patchify", SpaceToDepth { block, pad }, &[0])?;
        let x = placed(&mut g, self.positions, x)?;
        let x = g.node("in", normed(pointwise), &[x])?;
        let mut x = g.node("in.relu", Activation::Relu, &[x])?;
        let mut skips = None;
        for layer in 0..self.layers {
            let dilation = 1 << (layer % self.cycle);
            let name = |part: &str| format!("layer{layer}.{part}");
            let mut seen = x;
            if let Some((c, times)) = local {
                // Enlarged where it is read: a copy costs little time, and the small one little memory in between.
                let c = if times > 1 { g.node(&name("local"), Upsample { factor: [1, times] }, &[c])? } else { c };
                seen = g.node(&name("seen"), Add, &[x, c])?;
            }
            let mut half = |part: &str| {
                let h = g.node(&name(part), normed(ConvGeometry::line(self.kernel, dilation)), &[seen])?;
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
