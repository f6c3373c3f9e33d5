//! The shape of a network as data.
use super::diffwave::{DiffWave, Local};
use super::listed::Listed;
use super::parts::within;
use super::perceptron::Perceptron;
use super::unet::UNet;
use crate::graph::{Graph, Shape};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The shape of a network, of one of these kinds.
///
/// ```
/// use brownian_trainer::graph::Shape;
/// use brownian_trainer::nets::Spec;
/// # fn main() -> brownian_trainer::Result<()> {
/// let spec = Spec::parse(
///     "kind = 'unet'\npatch = [1, 4]\nchannels = [16, 24, 32]\nblocks = [1, 1, 2]\njoin = 'add'\nnorm = 'batch'\n\
///      conditioning = { features = 32, hidden = 64 }",
/// )?;
/// // One channel of 256 samples.
/// let graph = spec.build(Shape::new(1, 256, 1), &[])?;
/// assert_eq!(graph.nodes[1].shape, Shape::new(1, 64, 4));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind")]
#[non_exhaustive]
pub enum Spec {
    /// Levels of halved height and width, joined on the way up.
    #[serde(rename = "unet")]
    UNet(UNet),
    /// Dense layers, for vectors.
    #[serde(rename = "mlp")]
    Perceptron(Perceptron),
    /// Gated dilated convolutions, for signals.
    #[serde(rename = "diffwave")]
    DiffWave(DiffWave),
    /// Node by node, as an import writes it.
    #[serde(rename = "graph")]
    Listed(Listed),
}

impl Spec {
    /// Reads a spec from TOML and checks it.
    ///
    /// # Errors
    /// Text that is no TOML, keys that are unknown or missing, or numbers out of range; each says which.
    pub fn parse(text: &str) -> Result<Self> {
        let spec: Self = toml::from_str(text).map_err(|e| {
            // What is read behind `kind` has lost its place; the kind alone knows the key.
            let of_kind = toml::from_str(text).ok().and_then(wrong_key);
            let before = e.span().and_then(|span| text.get(..span.start)).filter(|before| !before.is_empty());
            let place = before.map_or(String::new(), |before| format!("line {}: ", before.matches('\n').count() + 1));
            Error::Invalid(one_line(&of_kind.unwrap_or_else(|| place + e.message())))
        })?;
        spec.check()?;
        Ok(spec)
    }

    /// Reads a spec from a file; as [`Self::parse`].
    ///
    /// # Errors
    /// Also a file that cannot be read.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
        Self::parse(&text).map_err(|e| Error::file(path, e))
    }

    /// The spec as TOML.
    ///
    /// # Errors
    /// None for a spec that [`Self::parse`] takes.
    pub fn to_toml(&self) -> Result<String> {
        toml::to_string(self).map_err(|e| Error::Invalid(format!("the network cannot be written: {e}")))
    }

    /// Checks what a file can get wrong.
    ///
    /// # Errors
    /// A number out of its range.
    pub fn check(&self) -> Result<()> {
        let conditioning = match self {
            Self::UNet(net) => net.check().map(|()| net.conditioning)?,
            Self::Perceptron(net) => net.check().map(|()| net.conditioning)?,
            Self::DiffWave(net) => net.check().map(|()| net.conditioning)?,
            Self::Listed(net) => return net.check(),
        };
        within("conditioning.features", conditioning.features, 2, 4096)?;
        within("conditioning.hidden", conditioning.hidden, 1, 4096)?;
        if !conditioning.features.is_multiple_of(2) {
            return Err(Error::Invalid(format!(
                "conditioning.features is {}; it must be even, sines and cosines in pairs",
                conditioning.features
            )));
        }
        Ok(())
    }

    /// The widths of its levels or layers.
    pub fn channels(&self) -> Vec<usize> {
        match self {
            Self::UNet(net) => net.channels.clone(),
            Self::Perceptron(net) => vec![net.width],
            Self::DiffWave(net) => vec![net.width],
            Self::Listed(net) => net.channels(),
        }
    }

    /// The local condition that it follows, if it follows one.
    pub fn local(&self) -> Option<Local> {
        match self {
            Self::DiffWave(net) => net.local,
            _ => None,
        }
    }

    /// The number of timesteps that it has a table for; none where a network takes any.
    pub fn timesteps(&self) -> Option<usize> {
        match self {
            Self::Listed(net) => Some(net.timesteps),
            _ => None,
        }
    }

    /// The graph for images of `input` with `classes` classes an axis of labels (none: unlabelled).
    ///
    /// # Errors
    /// Images that the network cannot take.
    pub fn build(&self, input: Shape, classes: &[usize]) -> Result<Graph> {
        self.check()?;
        match self {
            Self::UNet(net) => net.build(input, classes),
            Self::Perceptron(net) => net.build(input, classes),
            Self::DiffWave(net) => net.build(input, classes),
            Self::Listed(net) => net.build(input, classes),
        }
    }
}

/// What is wrong with a table whose kind is known, and under which key.
fn wrong_key(mut table: toml::Table) -> Option<String> {
    let error = match table.remove("kind")?.as_str()? {
        "unet" => table.try_into::<UNet>().err()?,
        "mlp" => table.try_into::<Perceptron>().err()?,
        "diffwave" => table.try_into::<DiffWave>().err()?,
        "graph" => table.try_into::<Listed>().err()?,
        _ => return None,
    };
    Some(error.to_string())
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nets::preset;

    /// Every wrong file says which key is wrong.
    #[test]
    fn wrong_specs_say_what_is_wrong() {
        let spec = preset("tiny", Shape::new(8, 8, 1)).unwrap();
        let text = spec.to_commented_toml().unwrap();
        for (from, to, word) in [
            ("kind = \"unet\"", "", "kind"),
            ("kind = \"unet\"", "kind = \"transformer\"", "transformer"),
            ("channels =", "chanels =", "chanels"),
            ("kernel = 3", "kernel = \"three\"", "expected usize in `kernel`"),
            ("kernel = 3", "kernel = 4", "kernel is 4; it must be odd"),
            ("channels = [4, 8]", "channels = []", "levels"),
            ("channels = [4, 8]", "channels = [4, 8, 8, 8, 8]", "levels"),
            ("channels = [4, 8]", "channels = [4, 0]", "channels is 0"),
            ("channels = [4, 8]", "channels = [4]", "blocks"),
            ("blocks = [1, 1]", "blocks = [1, 99]", "blocks is 99"),
            ("patch = [2, 2]", "patch = [0, 2]", "patch is 0"),
            ("patch = [2, 2]", "patch = [2]", "length"),
            ("dilations = [1]", "dilations = []", "dilations"),
            ("join = \"concat\"", "join = \"stack\"", "stack"),
            ("features = 8", "features = 7", "features is 7; it must be even"),
            ("features = 8", "features = nan", "in `conditioning.features`"),
            ("channels = [4, 8]", "channels = [-4, 8]", "in `channels`"),
            ("kernel = 3", "kernel", "line 9: key with no value"),
            ("hidden = 16", "", "hidden"),
        ] {
            assert!(text.contains(from), "{from}");
            let error = Spec::parse(&text.replace(from, to)).unwrap_err().to_string();
            assert!(error.contains(word), "{to}: {error}");
        }
    }
}
