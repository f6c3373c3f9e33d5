//! The networks that have a name on the command line.
use crate::graph::{Builder, ConvGeometry, Graph, NodeId, Shape};
use crate::ops::{Activation, Add, ChannelBiasLayer, Concat, ConvLayer, DepthToSpace, SpaceToDepth, Upsample};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// Every preset's name, in the order of the help text.
pub const NAMES: [&str; 3] = ["digits28", "digits28-nano", "tiny"];

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

/// What a run changes of its preset.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// Normalisation.
    pub norm: NormName,
    /// Factor on all channels, which are then rounded to multiples of 4.
    pub width: f64,
    /// Residual blocks at the lower resolution, where they are not the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
}

impl Default for Variation {
    fn default() -> Self {
        Self { norm: NormName::Batch, width: 1.0, blocks: None }
    }
}

impl Variation {
    /// Checks what a command line or an edited file can get wrong.
    ///
    /// # Errors
    /// A width or a number of blocks out of range (usage errors).
    pub fn check(&self) -> Result<()> {
        if !(0.1..=16.0).contains(&self.width) {
            return Err(Error::Usage(format!("--width {}: give a factor from 0.1 to 16", self.width)));
        }
        match self.blocks {
            Some(blocks) if !(1..=64).contains(&blocks) => {
                Err(Error::Usage(format!("--blocks {blocks}: give 1 to 64")))
            }
            _ => Ok(()),
        }
    }

    fn channels(&self, channels: usize) -> usize {
        if self.width == 1.0 {
            return channels;
        }
        ((channels as f64 * self.width / 4.0).round() as usize).max(1) * 4
    }
}

/// The graph of a preset for images of `input` with `classes` classes (0: unlabelled).
///
/// # Errors
/// An unknown name (usage), or images that the preset cannot take.
pub fn build(name: &str, input: Shape, classes: usize) -> Result<Graph> {
    build_varied(name, input, classes, &Variation::default())
}

/// The same with changes.
///
/// # Errors
/// As [`build`].
pub fn build_varied(name: &str, input: Shape, classes: usize, variation: &Variation) -> Result<Graph> {
    let mut spec = match name {
        "digits28" => DIGITS28,
        "digits28-nano" => DIGITS28_NANO,
        "tiny" => TINY,
        _ => return Err(Error::Usage(format!("there is no preset {name:?}; choose one of {}", NAMES.join(", ")))),
    };
    spec.channels = spec.channels.map(|channels| variation.channels(channels));
    spec.middle_blocks = variation.blocks.unwrap_or(spec.middle_blocks);
    spec.norm = variation.norm == NormName::Batch;
    unet(input, classes, &spec)
}

/// A U-Net of two resolutions behind a 2×2 patchify.
struct UNet {
    /// Channels at half and at a quarter of the image's size.
    channels: [usize; 2],
    /// Residual blocks at the lower resolution.
    middle_blocks: usize,
    /// Joins the skip by concatenation; otherwise by addition, which needs less memory at inference.
    concat: bool,
    /// Time features and hidden width of the conditioning network.
    conditioning: [usize; 2],
    /// Batch normalisation behind the convolutions.
    norm: bool,
}

const DIGITS28: UNet = UNet { channels: [20, 48], middle_blocks: 2, concat: true, conditioning: [64, 128], norm: true };
const DIGITS28_NANO: UNet = UNet { channels: [12, 24], concat: false, ..DIGITS28 };
const TINY: UNet = UNet { channels: [4, 8], middle_blocks: 1, conditioning: [8, 16], ..DIGITS28 };

/// Factor on the start scale of a residual block's last convolution: its norm's gamma, or its weights where there is no norm.
const RESIDUAL_SCALE: f32 = 0.2;

fn unet(input: Shape, classes: usize, spec: &UNet) -> Result<Graph> {
    if !input.height.is_multiple_of(4) || !input.width.is_multiple_of(4) {
        return Err(Error::Invalid(format!(
            "images of {input} do not fit this preset: height and width must be multiples of 4"
        )));
    }
    let [high, low] = spec.channels;
    let same = ConvGeometry::square(3, 1);
    let normed = |channels, geometry| ConvLayer::new(channels, geometry).normed(spec.norm);
    let mut g = Builder::new(input)?;
    let x = g.node("patchify", SpaceToDepth { block: [2, 2] }, &[0])?;
    let x = g.node("stem", normed(high, same), &[x])?;
    let skip = residual(&mut g, "first", x, high, spec.norm)?;
    let x = g.node("down.silu", Activation::Silu, &[skip])?;
    let mut x = g.node("down", normed(low, ConvGeometry::square(3, 2)), &[x])?;
    for i in 0..spec.middle_blocks {
        x = residual(&mut g, &format!("middle{i}"), x, low, spec.norm)?;
    }
    let x = g.node("up.silu", Activation::Silu, &[x])?;
    let x = g.node("up", normed(high, ConvGeometry::square(1, 1)), &[x])?;
    let x = g.node("upsample", Upsample::TWICE, &[x])?;
    let x = if spec.concat { g.node("join", Concat, &[x, skip])? } else { g.node("join", Add, &[x, skip])? };
    let x = residual(&mut g, "last", x, high, spec.norm)?;
    let x = g.node("out.silu", Activation::Silu, &[x])?;
    let x = g.node("out", ConvLayer::new(4 * input.channels, same).scaled(0.2), &[x])?;
    g.node("unpatchify", DepthToSpace { block: [2, 2] }, &[x])?;
    let [features, hidden] = spec.conditioning;
    g.finish(features, hidden, classes)
}

/// x + conv(silu(conv(silu(x)) + bias(t, class))), with a pointwise convolution on the skip where the channels change. The skip's
/// convolution comes first, so that the activation may then overwrite x.
fn residual(g: &mut Builder, name: &str, x: NodeId, channels: usize, norm: bool) -> Result<NodeId> {
    let normed = |scale| ConvLayer::new(channels, ConvGeometry::square(3, 1)).normed(norm).scaled(scale);
    let skip = if g.shape(x).channels == channels {
        x
    } else {
        let skip = ConvLayer::new(channels, ConvGeometry::square(1, 1)).scaled(0.6);
        g.node(&format!("{name}.skip"), skip, &[x])?
    };
    let h = g.node(&format!("{name}.silu1"), Activation::Silu, &[x])?;
    let h = g.node(&format!("{name}.conv1"), normed(1.0), &[h])?;
    let h = g.node(&format!("{name}.bias"), ChannelBiasLayer, &[h])?;
    let h = g.node(&format!("{name}.silu2"), Activation::Silu, &[h])?;
    let h = g.node(&format!("{name}.conv2"), normed(RESIDUAL_SCALE), &[h])?;
    g.node(&format!("{name}.add"), Add, &[h, skip])
}
