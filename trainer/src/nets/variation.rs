//! Edits of a spec, and how a run names its network.
use super::parts::NormName;
use super::presets::preset;
use super::spec::Spec;
use crate::graph::Shape;
use crate::{Error, Result};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// What is changed of a spec.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variation {
    /// Normalisation, where it is not the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub norm: Option<NormName>,
    /// Factor on all channels, which are then rounded to multiples of 4.
    pub width: f64,
    /// Residual blocks at the lowest level, where they are not the spec's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<usize>,
}

impl Default for Variation {
    fn default() -> Self {
        Self { norm: None, width: 1.0, blocks: None }
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

    /// The spec with these changes.
    ///
    /// # Errors
    /// Changes out of range, or of something that the spec's kind does not have (usage errors).
    pub fn of(&self, spec: &Spec) -> Result<Spec> {
        self.check()?;
        let mut spec = spec.clone();
        match &mut spec {
            Spec::UNet(net) => {
                net.channels.iter_mut().for_each(|channels| *channels = self.channels(*channels));
                net.norm = self.norm.unwrap_or(net.norm);
                if let (Some(blocks), Some(lowest)) = (self.blocks, net.blocks.last_mut()) {
                    *lowest = blocks;
                }
            }
            Spec::Perceptron(net) => {
                net.width = self.channels(net.width);
                net.blocks = self.blocks.unwrap_or(net.blocks);
                if self.norm.is_some_and(|norm| norm != NormName::None) {
                    return Err(Error::Usage("--norm batch: a network of kind \"mlp\" has no norms".into()));
                }
            }
        }
        spec.check()?;
        Ok(spec)
    }

    fn channels(&self, channels: usize) -> usize {
        if self.width == 1.0 {
            return channels;
        }
        ((channels as f64 * self.width / 4.0).round() as usize).max(1) * 4
    }
}

/// The network of a run: its spec, or, in runs of earlier versions, changes of the preset that the run names.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Choice {
    /// The spec itself.
    Spec(Spec),
    /// Changes of a preset.
    Preset(Variation),
}

impl Default for Choice {
    fn default() -> Self {
        Self::Preset(Variation::default())
    }
}

impl<'de> Deserialize<'de> for Choice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let table = toml::Table::deserialize(deserializer)?;
        match table.contains_key("kind") {
            true => table.try_into().map(Self::Spec),
            false => table.try_into().map(Self::Preset),
        }
        .map_err(|e| D::Error::custom(format!("network: {}", e.message())))
    }
}

impl Choice {
    /// The spec, for a run of images of `input` whose preset is called `name`.
    ///
    /// # Errors
    /// An unknown preset, or a spec that makes no sense.
    pub fn spec(&self, name: &str, input: Shape) -> Result<Spec> {
        match self {
            Self::Spec(spec) => spec.check().map(|()| spec.clone()),
            Self::Preset(variation) => variation.of(&preset(name, input)?),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIGITS: Shape = Shape::new(28, 28, 1);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Run {
        network: Choice,
    }

    /// What runs of earlier versions hold, and what they hold now.
    #[test]
    fn both_ways_of_naming_a_network_are_read() {
        let old: Run = toml::from_str("[network]\nnorm = \"none\"\nwidth = 2.0\nblocks = 3\n").unwrap();
        let Spec::UNet(net) = old.network.spec("tiny", DIGITS).unwrap() else { panic!("a preset of another kind") };
        assert_eq!((net.channels, net.blocks, net.norm), (vec![8, 16], vec![1, 3], NormName::None));
        let new = Run { network: Choice::Spec(preset("digits28", DIGITS).unwrap()) };
        assert_eq!(toml::from_str::<Run>(&toml::to_string(&new).unwrap()).unwrap(), new);
        let error = toml::from_str::<Run>("[network]\nwdth = 2.0\n").unwrap_err().to_string();
        assert!(error.contains("wdth"), "{error}");
        assert_eq!(old.network.spec("huge", DIGITS).unwrap_err().exit_code(), 2);
    }
}
