//! A U-Net (Ronneberger et al. 2015) of one to four levels, over images or, where the height is 1, signals.
use super::parts::{within, ConditioningSpec, NormName};
use super::patches::{placed, unpatched};
use crate::graph::{Builder, ConvGeometry, Graph, NodeId, Shape};
use crate::ops::{Activation, Add, ChannelBiasLayer, Concat, ConvLayer, SpaceToDepth, Upsample};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// The shape of a U-Net behind a patchify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UNet {
    /// Rows and columns of the blocks of pixels that become channels in front. Where an image has no whole number of
    /// them that halves from level to level, zeros are added below and to the right, and left out again at the end.
    pub patch: [usize; 2],
    /// Channels of each level; each has half the size of the one before, but a size of 1 stays.
    pub channels: Vec<usize>,
    /// Residual blocks of each level; all but the lowest have them on the way down and again on the way up.
    pub blocks: Vec<usize>,
    /// Side of the kernels, odd; 1 where the size is 1.
    #[serde(default = "three")]
    pub kernel: usize,
    /// Distances between kernel taps: the first convolution of block i of a level takes entry i, over and over.
    #[serde(default = "plain")]
    pub dilations: Vec<usize>,
    /// Sines of the position, each with its cosine, an axis, that the first convolution sees too; 0 for none.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub positions: usize,
    /// How a level takes in what it was on the way down.
    pub join: Join,
    /// Normalisation behind the convolutions.
    pub norm: NormName,
    /// The network that turns a timestep into biases.
    pub conditioning: ConditioningSpec,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How two values of one size are joined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Join {
    /// The channels one after the other.
    Concat,
    /// The sum, which needs less memory at inference.
    Add,
}

fn three() -> usize {
    3
}

fn plain() -> Vec<usize> {
    vec![1]
}

/// Most levels of a network.
const MAX_LEVELS: usize = 4;
/// Factor on the start scale of a residual block's last convolution: its norm's gamma, or its weights where there is no
/// norm.
const RESIDUAL_SCALE: f32 = 0.2;

impl UNet {
    pub(super) fn check(&self) -> Result<()> {
        let levels = self.channels.len();
        if !(1..=MAX_LEVELS).contains(&levels) {
            return Err(Error::Invalid(format!(
                "channels has {levels} entries; a network has 1 to {MAX_LEVELS} levels"
            )));
        }
        if self.blocks.len() != levels {
            return Err(Error::Invalid(format!(
                "blocks has {} entries for the {levels} levels of channels",
                self.blocks.len()
            )));
        }
        self.channels.iter().try_for_each(|n| within("an entry of channels", *n, 1, 4096))?;
        self.blocks.iter().try_for_each(|n| within("an entry of blocks", *n, 1, 64))?;
        self.patch.iter().try_for_each(|n| within("an entry of patch", *n, 1, 64))?;
        self.dilations.iter().try_for_each(|n| within("an entry of dilations", *n, 1, 4096))?;
        if self.dilations.is_empty() {
            return Err(Error::Invalid("dilations is empty; give [1] for none".into()));
        }
        within("kernel", self.kernel, 1, 63)?;
        within("positions", self.positions, 0, 8)?;
        if self.kernel.is_multiple_of(2) {
            return Err(Error::Invalid(format!("kernel is {}; it must be odd", self.kernel)));
        }
        Ok(())
    }

    pub(super) fn build(&self, input: Shape, classes: &[usize]) -> Result<Graph> {
        let mut g = Net { g: Builder::new(input)?, spec: self };
        let Grid { pad, factors } = self.grid(input)?;
        let (last, [rows, columns]) = (self.channels.len() - 1, self.patch);
        let x = g.node("patchify", SpaceToDepth { block: self.patch, pad }, &[0])?;
        let x = placed(&mut g.g, self.positions, x)?;
        let mut x = g.conv("stem", self.channels[0], x)?;
        let mut skips = vec![];
        for (level, factor) in factors.iter().enumerate() {
            x = g.blocks(&at("first", level), level, x)?;
            skips.push(x);
            x = g.node(&format!("{}.silu", at("down", level)), Activation::Silu, &[x])?;
            let geometry = ConvGeometry { stride: *factor, ..g.geometry(x, 1) };
            x = g.node(&at("down", level), self.normed(self.channels[level + 1], geometry), &[x])?;
        }
        for i in 0..self.blocks[last] {
            x = g.residual(&format!("middle{i}"), self.channels[last], self.dilation(i), x)?;
        }
        for (level, factor) in factors.into_iter().enumerate().rev() {
            x = g.node(&format!("{}.silu", at("up", level)), Activation::Silu, &[x])?;
            x = g.node(&at("up", level), self.normed(self.channels[level], ConvGeometry::square(1, 1)), &[x])?;
            x = g.node(&at("upsample", level), Upsample { factor }, &[x])?;
            x = match self.join {
                Join::Concat => g.node(&at("join", level), Concat, &[x, skips[level]])?,
                Join::Add => g.node(&at("join", level), Add, &[x, skips[level]])?,
            };
            x = g.blocks(&at("last", level), level, x)?;
        }
        x = g.node("out.silu", Activation::Silu, &[x])?;
        let out = ConvLayer::new(rows * columns * input.channels, g.geometry(x, 1)).scaled(0.2);
        x = g.node("out", out, &[x])?;
        unpatched(&mut g.g, self.patch, pad, x)?;
        self.conditioning.finish(g.g, classes)
    }

    /// How images of `input` split into patches, and these into levels.
    fn grid(&self, input: Shape) -> Result<Grid> {
        let mut grid = Grid { pad: [0; 2], factors: vec![[1; 2]; self.channels.len() - 1] };
        for (axis, whole) in [input.height, input.width].into_iter().enumerate() {
            let patch = self.patch[axis];
            let patches = whole.div_ceil(patch);
            // A size that is one before the last level stays one.
            let multiple = patches.next_power_of_two().min(1 << grid.factors.len());
            let patches = patches.next_multiple_of(multiple);
            grid.pad[axis] = patches * patch - whole;
            let mut size = patches;
            for factor in &mut grid.factors {
                factor[axis] = size.min(2);
                size /= factor[axis];
            }
        }
        if grid.factors.contains(&[1, 1]) {
            return Err(Error::Invalid(format!(
                "images of {input} are a single position before the last of {} levels; take fewer levels or a smaller \
                 patch",
                self.channels.len()
            )));
        }
        Ok(grid)
    }

    fn dilation(&self, block: usize) -> usize {
        self.dilations[block % self.dilations.len()]
    }

    fn normed(&self, channels: usize, geometry: ConvGeometry) -> ConvLayer {
        ConvLayer::new(channels, geometry).normed(self.norm == NormName::Batch)
    }
}

/// How an image splits.
struct Grid {
    /// Rows below and columns to the right that are missing from the patches.
    pad: [usize; 2],
    /// By how much each level is larger than the next.
    factors: Vec<[usize; 2]>,
}

/// The name of a layer that every level has; the highest level's has no number.
fn at(name: &str, level: usize) -> String {
    if level == 0 {
        name.to_owned()
    } else {
        format!("{name}{level}")
    }
}

/// A network in the making.
struct Net<'a> {
    g: Builder,
    spec: &'a UNet,
}

impl Net<'_> {
    fn node<L: crate::ops::Layer>(&mut self, name: &str, layer: L, inputs: &[NodeId]) -> Result<NodeId>
    where
        crate::ops::Op: From<L::Op>,
    {
        self.g.node(name, layer, inputs)
    }

    /// The spec's kernel over `x`, one tap where the size is 1, padded so that the size is kept.
    fn geometry(&self, x: NodeId, dilation: usize) -> ConvGeometry {
        let shape = self.g.shape(x);
        let one = |size: usize| if size == 1 { [1, 1] } else { [self.spec.kernel, dilation] };
        let [[rows, down], [columns, right]] = [one(shape.height), one(shape.width)];
        ConvGeometry {
            kernel: [rows, columns],
            stride: [1; 2],
            pad: [down * (rows - 1) / 2, right * (columns - 1) / 2],
            dilation: [down, right],
            depthwise: false,
        }
    }

    fn conv(&mut self, name: &str, channels: usize, x: NodeId) -> Result<NodeId> {
        let layer = self.spec.normed(channels, self.geometry(x, 1));
        self.node(name, layer, &[x])
    }

    /// The residual blocks of a level on one of its ways.
    fn blocks(&mut self, name: &str, level: usize, mut x: NodeId) -> Result<NodeId> {
        for i in 0..self.spec.blocks[level] {
            let name = if i == 0 { name.to_owned() } else { format!("{name}_{i}") };
            x = self.residual(&name, self.spec.channels[level], self.spec.dilation(i), x)?;
        }
        Ok(x)
    }

    /// x + conv(silu(conv(silu(x)) + bias(t, class))), with a pointwise convolution on the skip where the channels
    /// change. The skip's convolution comes first, so that the activation may then overwrite x.
    fn residual(&mut self, name: &str, channels: usize, dilation: usize, x: NodeId) -> Result<NodeId> {
        let skip = if self.g.shape(x).channels == channels {
            x
        } else {
            let skip = ConvLayer::new(channels, ConvGeometry::square(1, 1)).scaled(0.6);
            self.node(&format!("{name}.skip"), skip, &[x])?
        };
        let [first, second] = [dilation, 1].map(|dilation| self.spec.normed(channels, self.geometry(x, dilation)));
        let h = self.node(&format!("{name}.silu1"), Activation::Silu, &[x])?;
        let h = self.node(&format!("{name}.conv1"), first, &[h])?;
        let h = self.node(&format!("{name}.bias"), ChannelBiasLayer, &[h])?;
        let h = self.node(&format!("{name}.silu2"), Activation::Silu, &[h])?;
        let h = self.node(&format!("{name}.conv2"), second.scaled(RESIDUAL_SCALE), &[h])?;
        self.node(&format!("{name}.add"), Add, &[h, skip])
    }
}
