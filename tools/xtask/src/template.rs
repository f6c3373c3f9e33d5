//! `cargo xtask template`: expands `boards/template` as cargo-generate does, and builds what it gives for each chip.

use crate::firmware::{self, root, target_dir};
use anyhow::{Context, Result};
use liquid::model::Value;
use serde::Deserialize;
use std::fs;
use std::path::Path;

/// The description that cargo-generate reads; it is no part of what it makes.
const DESCRIPTION: &str = "cargo-generate.toml";
/// What is rendered loses this ending of its name.
const RENDERED: &str = ".liquid";
/// The name of the firmware that is made here.
const NAME: &str = "own-firmware";
/// The board here with a chip, whose lockfile says which versions are tested.
const BOARDS: [(&str, &str); 3] = [("rp2350", "pico2"), ("nrf52840", "nrf52840-dk"), ("stm32f411", "stm32f411")];

/// The parts of [`DESCRIPTION`] that count here.
#[derive(Debug, Deserialize)]
struct Description {
    template: Files,
    placeholders: Placeholders,
}

#[derive(Debug, Deserialize)]
struct Files {
    /// What is copied as it is.
    exclude: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct Placeholders {
    chip: Choices,
}

#[derive(Debug, Deserialize)]
struct Choices {
    choices: Vec<String>,
}

/// Expands and builds it for every chip.
pub fn run() -> Result<()> {
    for chip in description()?.placeholders.chip.choices {
        let (_, board) = BOARDS.iter().find(|(name, _)| *name == chip).context("no board has the chip")?;
        let folder = target_dir().join("template").join(&chip);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        let runtime = root().join("runtime");
        expand(&chip, &format!("path = {:?}", runtime.display().to_string()), &folder)?;
        fs::copy(root().join("boards").join(board).join("Cargo.lock"), folder.join("Cargo.lock"))?;
        let folder = folder.to_str().context("the path is no text")?;
        firmware::cargo(folder, &["fmt", "--check"], &format!("cargo fmt of the template for {chip}"))?;
        firmware::cargo(folder, &["build", "--quiet", "--release"], &format!("building the template for {chip}"))?;
        let sizes = firmware::sizes(&target_dir().join(target(Path::new(folder))?).join("release").join(NAME))?;
        println!("template, {chip}: flash {}, variables {}", sizes.text + sizes.rodata, sizes.statics);
    }
    Ok(())
}

fn template() -> std::path::PathBuf {
    root().join("boards/template")
}

fn description() -> Result<Description> {
    let path = template().join(DESCRIPTION);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("cannot read {}", path.display()))
}

/// The Rust target of an expanded template.
fn target(folder: &Path) -> Result<String> {
    let config: toml::Table = fs::read_to_string(folder.join(".cargo/config.toml"))?.parse()?;
    let target = config.get("build").and_then(|build| build.get("target")).and_then(toml::Value::as_str);
    Ok(target.context("the template sets no target")?.to_owned())
}

/// Makes a firmware for `chip` in `folder`; `brownian` is what Cargo needs to find that crate.
fn expand(chip: &str, brownian: &str, folder: &Path) -> Result<()> {
    let texts = [("chip", chip), ("brownian", brownian), ("project-name", NAME)];
    let values = texts.map(|(name, text)| (name.into(), Value::scalar(text.to_owned()))).into_iter().collect();
    copy(&template(), folder, &description()?.template.exclude, &values)
}

/// Copies a folder of the template, with what it has of placeholders filled in.
fn copy(from: &Path, to: &Path, verbatim: &[String], values: &liquid::Object) -> Result<()> {
    fs::create_dir_all(to)?;
    let parser = liquid::ParserBuilder::with_stdlib().build()?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("a name is no text")?;
        if path.is_dir() {
            copy(&path, &to.join(name), verbatim, values)?;
        } else if verbatim.iter().any(|file| file == name) {
            fs::copy(&path, to.join(name))?;
        } else if name != DESCRIPTION {
            let say = || format!("cannot expand {}", path.display());
            let text = parser.parse(&fs::read_to_string(&path).with_context(say)?).with_context(say)?;
            fs::write(to.join(name.strip_suffix(RENDERED).unwrap_or(name)), text.render(values).with_context(say)?)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// For each chip everything is filled in, manifest and configuration can be read, and `main` is short.
    #[test]
    fn it_expands_for_every_chip() {
        let chips = description().unwrap().placeholders.chip.choices;
        assert_eq!(chips, BOARDS.map(|(chip, _)| chip));
        for (chip, board) in BOARDS {
            let folder = tempfile::tempdir().unwrap();
            expand(chip, "version = \"7\"", folder.path()).unwrap();
            let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
            let [main, manifest, memory, readme] = ["src/main.rs", "Cargo.toml", "memory.x", "README.md"].map(read);
            for text in [&main, &manifest, &memory, &readme, &read(".cargo/config.toml"), &read("build.rs")] {
                assert!(!text.contains("{{") && !text.contains("{%") && !text.is_empty(), "{text}");
            }
            let manifest: toml::Table = manifest.parse().unwrap();
            assert_eq!(manifest["package"]["name"].as_str(), Some(NAME));
            assert_eq!(manifest["dependencies"]["brownian"]["version"].as_str(), Some("7"));
            assert_eq!(target(folder.path()).unwrap(), crate::boards::target_of(board).unwrap());
            assert!(main.lines().count() <= 60 && main.contains("_peripherals = embassy_"), "{main}");
            assert!(!folder.path().join(DESCRIPTION).exists());
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 8);
        }
    }

    /// The model that comes with it is the smallest that is shipped.
    #[test]
    fn its_model_is_a_shipped_one() {
        let own = fs::read(template().join("model.brn")).unwrap();
        assert!(
            own == fs::read(brownian_tests::shipped_model("digits28-nano")).unwrap(),
            "copy digits28-nano.brn again"
        );
    }
}
