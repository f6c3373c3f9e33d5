//! What the tests across crates share: models in memory, chains on the host, cases, goldens.

pub mod cases;
pub mod golden;
mod host;

pub use host::{condition, draw, Chain};

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("below the root").to_path_buf()
}

/// Where the shipped model of that name lies.
pub fn shipped_model(name: &str) -> PathBuf {
    root().join("models").join(name).with_extension("brn")
}

/// The Rust code of the README compiles.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
