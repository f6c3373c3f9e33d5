//! The networks that have a name on the command line.
use crate::graph::{Activation, Builder, ConvGeometry, ConvOptions, Graph, NodeId, Shape};
use crate::{Error, Result};

/// Every preset's name, in the order of the help text.
pub const NAMES: [&str; 3] = ["digits28", "digits28-nano", "tiny"];

/// The graph of a preset for images of `input` with `classes` classes (0: unlabelled).
///
/// # Errors
/// An unknown name (usage), or images that the preset cannot take.
pub fn build(name: &str, input: Shape, classes: usize) -> Result<Graph> {
    match name {
        "digits28" => unet(input, classes, &DIGITS28),
        "digits28-nano" => unet(input, classes, &DIGITS28_NANO),
        "tiny" => unet(input, classes, &TINY),
        _ => Err(Error::Usage(format!("there is no preset {name:?}; choose one of {}", NAMES.join(", ")))),
    }
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
}

const DIGITS28: UNet = UNet { channels: [20, 48], middle_blocks: 2, concat: true, conditioning: [64, 128] };
const DIGITS28_NANO: UNet = UNet { channels: [12, 28], middle_blocks: 2, concat: false, conditioning: [64, 128] };
const TINY: UNet = UNet { channels: [4, 8], middle_blocks: 1, concat: true, conditioning: [8, 16] };

/// Start value of the last norm's gamma in a residual block.
const RESIDUAL_SCALE: f32 = 0.2;

fn unet(input: Shape, classes: usize, spec: &UNet) -> Result<Graph> {
    if !input.height.is_multiple_of(4) || !input.width.is_multiple_of(4) {
        return Err(Error::Invalid(format!(
            "images of {input} do not fit this preset: height and width must be multiples of 4"
        )));
    }
    let [high, low] = spec.channels;
    let (same, normed) = (ConvGeometry::square(3, 1), ConvOptions::default());
    let mut g = Builder::new(input)?;
    let x = g.space_to_depth("patchify", 0, 2)?;
    let x = g.conv("stem", x, high, same, normed)?;
    let skip = residual(&mut g, "first", x, high)?;
    let x = silu(&mut g, "down.silu", skip)?;
    let mut x = g.conv("down", x, low, ConvGeometry::square(3, 2), normed)?;
    for i in 0..spec.middle_blocks {
        x = residual(&mut g, &format!("middle{i}"), x, low)?;
    }
    let x = silu(&mut g, "up.silu", x)?;
    let x = g.conv("up", x, high, ConvGeometry::square(1, 1), normed)?;
    let x = g.upsample("upsample", x)?;
    let x = if spec.concat { g.concat("join", x, skip)? } else { g.add("join", x, skip)? };
    let x = residual(&mut g, "last", x, high)?;
    let x = silu(&mut g, "out.silu", x)?;
    let x = g.conv("out", x, 4 * input.channels, same, ConvOptions { norm: false, scale: 0.2 })?;
    g.depth_to_space("unpatchify", x, 2)?;
    let [features, hidden] = spec.conditioning;
    g.finish(features, hidden, classes)
}

fn silu(g: &mut Builder, name: &str, x: NodeId) -> Result<NodeId> {
    g.activation(name, x, Activation::Silu)
}

/// x + conv(silu(conv(silu(x)) + bias(t, class))), with a pointwise convolution on the skip where the channels change. The skip's
/// convolution comes first, so that the activation may then overwrite x.
fn residual(g: &mut Builder, name: &str, x: NodeId, channels: usize) -> Result<NodeId> {
    let (same, normed) = (ConvGeometry::square(3, 1), ConvOptions::default());
    let skip = if g.shape(x).channels == channels {
        x
    } else {
        g.conv(
            &format!("{name}.skip"),
            x,
            channels,
            ConvGeometry::square(1, 1),
            ConvOptions { norm: false, scale: 0.6 },
        )?
    };
    let h = silu(g, &format!("{name}.silu1"), x)?;
    let h = g.conv(&format!("{name}.conv1"), h, channels, same, normed)?;
    let h = g.channel_bias(&format!("{name}.bias"), h)?;
    let h = silu(g, &format!("{name}.silu2"), h)?;
    let h = g.conv(&format!("{name}.conv2"), h, channels, same, ConvOptions { norm: true, scale: RESIDUAL_SCALE })?;
    g.add(&format!("{name}.add"), h, skip)
}
