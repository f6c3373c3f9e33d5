//! The options that say which network is trained.
use super::options::usual;
use super::output;
use crate::graph::Shape;
use crate::nets::{self, NormName, Spec, Variation};
use crate::run::Config;
use crate::{Error, Result};
use clap::Args;
use std::path::PathBuf;

/// Which network, and what is changed of it.
#[derive(Debug, Args)]
pub struct NetworkArgs {
    #[arg(long, help = usual(&format!("The network, by name: {}", presets()), Config::usual().preset))]
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
    /// Whether any network is asked for.
    pub fn is_given(&self) -> bool {
        self.preset.is_some() || self.net.is_some() || self.variation() != Variation::default()
    }

    /// A network with the changes that are asked for.
    ///
    /// # Errors
    /// Changes out of range.
    pub fn varied(&self, spec: &Spec) -> Result<Spec> {
        self.variation().of(spec)
    }

    /// Checks what can be checked before there are images.
    ///
    /// # Errors
    /// An unknown preset, a file that is no network, or changes out of range.
    pub fn check(&self) -> Result<()> {
        self.variation().check()?;
        match &self.net {
            Some(path) => Spec::read(path).map(drop),
            None => self.preset.as_deref().map_or(Ok(()), nets::check_name),
        }
    }

    /// The network's name and shape, for images of `input`.
    ///
    /// # Errors
    /// An unknown preset, a file that is no network, changes out of range, or images that no network takes.
    pub fn spec(&self, input: Shape) -> Result<(String, Spec)> {
        let (name, spec) = match &self.net {
            Some(path) => {
                let name = path.file_stem().map(|name| name.to_string_lossy().into_owned());
                (name.unwrap_or_default(), Spec::read(path)?)
            }
            None => {
                let name = self.preset.clone().unwrap_or(Config::usual().preset);
                let spec = nets::preset(&name, input)?;
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
            return Ok((self.spec(run.shape())?.1 != run.spec()?).then_some("--net"));
        }
        let spec = run.spec()?;
        let changes = |variation: Variation| Ok::<_, Error>(variation.of(&spec)? != spec);
        let none = Variation::default();
        if let Some(preset) = self.preset.as_ref().filter(|preset| **preset != run.preset) {
            // Another name of the same network is no difference.
            let same = |name: &str| nets::preset(name, run.shape()).ok();
            if same(preset).is_none_or(|spec| Some(spec) != same(&run.preset)) {
                return Ok(Some("--preset"));
            }
        }
        if self.norm.is_some() && changes(Variation { norm: self.norm, ..none })? {
            return Ok(Some("--norm"));
        }
        if self.blocks.is_some() && changes(Variation { blocks: self.blocks, ..none })? {
            return Ok(Some("--blocks"));
        }
        let Some(width) = self.width else { return Ok(None) };
        // A factor means something beside the preset's channels alone.
        let asked = nets::preset(&run.preset, run.shape()).and_then(|preset| Variation { width, ..none }.of(&preset));
        Ok(asked.map_or(true, |asked| asked.channels() != spec.channels()).then_some("--width"))
    }
}

/// The presets' names, with those that fit themselves first.
fn presets() -> String {
    let (last, others) = nets::NAMES.split_last().unwrap_or((&"", &[]));
    format!("{} or {last}", others.join(", "))
}

/// Arguments of `trainer net`.
#[derive(Debug, Args)]
pub struct Net {
    #[arg(default_value_t = Config::usual().preset, help = format!("A preset: {}", presets()))]
    preset: String,
    /// A network by a TOML file of its shape, instead of a preset.
    #[arg(long, value_name = "FILE.toml", conflicts_with = "preset")]
    net: Option<PathBuf>,
    /// The images that it is to fit, as HEIGHTxWIDTHxCHANNELS, for example 16x16x3.
    #[arg(long, value_name = "SHAPE", default_value = "28x28x1")]
    image: Shape,
    /// Print the network as JSON: every node with its op, inputs and shape, and where each parameter lies and starts.
    #[arg(long)]
    graph: bool,
    /// Classes of each axis of the labels, for `--graph`, for example `10` or `2,3` [default: unlabelled]
    #[arg(long, value_name = "N", value_delimiter = ',', requires = "graph")]
    classes: Vec<u16>,
}

impl Net {
    /// Prints the network as a file, or what it consists of.
    ///
    /// # Errors
    /// An unknown preset, a file that is no network, or images that no network takes.
    pub fn run(self) -> Result<()> {
        let spec = match &self.net {
            Some(path) => Spec::read(path)?,
            None => nets::preset(&self.preset, self.image)?,
        };
        if !self.graph {
            return output::print(spec.to_commented_toml()?.trim_end());
        }
        let classes: Vec<usize> = self.classes.iter().map(|classes| usize::from(*classes)).collect();
        let graph = spec.build(self.image, &classes)?;
        let json = serde_json::to_string(&graph);
        output::print(&json.map_err(|e| Error::Invalid(format!("the network cannot be written: {e}")))?)
    }
}
