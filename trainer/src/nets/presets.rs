//! The networks that have a name: the files in `trainer/presets`.
use super::spec::Spec;
use crate::graph::{Graph, Shape};
use crate::{Error, Result};

/// Every preset's name, in the order of the help text.
pub const NAMES: [&str; 3] = ["digits28", "digits28-nano", "tiny"];

/// The file of a preset, TOML with comments.
///
/// # Errors
/// An unknown name (usage).
pub fn preset_text(name: &str) -> Result<&'static str> {
    match name {
        "digits28" => Ok(include_str!("../../presets/digits28.toml")),
        "digits28-nano" => Ok(include_str!("../../presets/digits28-nano.toml")),
        "tiny" => Ok(include_str!("../../presets/tiny.toml")),
        _ => Err(Error::Usage(format!("there is no preset {name:?}; choose one of {}", NAMES.join(", ")))),
    }
}

/// The network of a preset.
///
/// # Errors
/// An unknown name (usage).
pub fn preset(name: &str) -> Result<Spec> {
    Spec::parse(preset_text(name)?)
}

/// The graph of a preset for images of `input` with `classes` classes an axis of labels (none: unlabelled).
///
/// # Errors
/// An unknown name (usage), or images that the preset cannot take.
pub fn build(name: &str, input: Shape, classes: &[usize]) -> Result<Graph> {
    preset(name)?.build(input, classes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_parses_and_is_written_as_it_was_read() {
        for name in NAMES {
            let spec = preset(name).unwrap();
            assert_eq!(Spec::parse(&spec.to_toml().unwrap()).unwrap(), spec, "{name}");
        }
        assert_eq!(preset("huge").unwrap_err().exit_code(), 2);
    }
}
