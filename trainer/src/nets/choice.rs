//! How a run names its network.
use super::presets::preset;
use super::spec::Spec;
use super::variation::Variation;
use crate::graph::Shape;
use crate::Result;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

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
    use crate::nets::NormName;

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
