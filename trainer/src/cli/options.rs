//! What options have in common: help texts with the defaults of a configuration.
use crate::{Error, Result};
use brownian::Guidance;
use clap::ValueEnum;
use std::fmt::Display;

/// A help text with its option's default.
pub fn usual(help: &str, default: impl Display) -> String {
    format!("{help} [default: {default}]")
}

/// The name of a choice on the command line.
pub fn name_of(choice: impl ValueEnum) -> String {
    choice.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

/// Puts what was asked for, if anything, into a field of a configuration.
pub fn set<T: Clone>(field: &mut T, asked: &Option<T>) {
    if let Some(asked) = asked {
        field.clone_from(asked);
    }
}

/// Guidance of this scale.
///
/// # Errors
/// A number outside 0 to 16.
pub fn guidance(scale: f32) -> Result<Guidance> {
    let refused = |_| Error::Usage(format!("--guidance {scale}: give a scale from 0 to {}", Guidance::MAX_SCALE));
    Guidance::new(scale).map_err(refused)
}
