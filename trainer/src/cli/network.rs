//! The options that say which network is trained.
use super::options::usual;
use super::output;
use crate::nets::{self, NormName, Spec, Variation};
use crate::run::Config;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Which network, and what is changed of it.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[arg(long, help = usual("The network, by name: digits28, digits28-nano or tiny", Config::usual().preset))]
    preset: Option<String>,
    /// The network, by a TOML file of its shape; `trainer net` prints those of the presets, to start from.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "preset")]
    net: Option<PathBuf>,
    /// Normalisation behind the convolutions [default: the network's].
    #[arg(long)]
    norm: Option<NormName>,
    /// Factor on the network's channels [default: 1].
    #[arg(long, value_name = "FACTOR")]
    width: Option<f64>,
    /// Residual blocks at the lowest level [default: the network's].
    #[arg(long, value_name = "N")]
    blocks: Option<usize>,
}

impl NetworkArgs {
    /// The network's name and shape.
    ///
    /// # Errors
    /// An unknown preset, a file that is no network, or changes out of range.
    pub fn spec(&self) -> Result<(String, Spec)> {
        let (name, spec) = match &self.net {
            Some(path) => {
                let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
                (name.unwrap_or_default(), Spec::read(path)?)
            }
            None => {
                let name = self.preset.clone().unwrap_or(Config::usual().preset);
                let spec = nets::preset(&name)?;
                (name, spec)
            }
        };
        Ok((name, self.variation().of(&spec)?))
    }

    fn variation(&self) -> Variation {
        Variation { norm: self.norm, width: self.width.unwrap_or(1.0), blocks: self.blocks }
    }

    /// The first option that asks for another network than a run's.
    ///
    /// # Errors
    /// A file that is no network, or changes out of range.
    pub fn differs(&self, run: &Config) -> Result<Option<&'static str>> {
        if self.net.is_some() {
            return Ok((self.spec()?.1 != run.spec()?).then_some("--net"));
        }
        let spec = run.spec()?;
        let changes = |variation: Variation| Ok::<_, Error>(variation.of(&spec)? != spec);
        let none = Variation::default();
        if self.preset.as_ref().is_some_and(|preset| *preset != run.preset) {
            return Ok(Some("--preset"));
        }
        if self.norm.is_some() && changes(Variation { norm: self.norm, ..none })? {
            return Ok(Some("--norm"));
        }
        if self.blocks.is_some() && changes(Variation { blocks: self.blocks, ..none })? {
            return Ok(Some("--blocks"));
        }
        let Some(width) = self.width else { return Ok(None) };
        // A factor means something beside the preset's channels alone.
        let asked = nets::preset(&run.preset).and_then(|preset| Variation { width, ..none }.of(&preset));
        Ok(asked.map_or(true, |asked| asked.channels() != spec.channels()).then_some("--width"))
    }
}

/// Arguments of `trainer net`.
#[derive(Debug, Args)]
pub struct Net {
    /// A preset: digits28, digits28-nano or tiny.
    #[arg(default_value = "digits28")]
    preset: String,
}

impl Net {
    /// Prints the preset's file.
    ///
    /// # Errors
    /// An unknown preset.
    pub fn run(self) -> Result<()> {
        output::print(nets::preset_text(&self.preset)?.trim_end())
    }
}
