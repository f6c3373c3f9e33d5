//! `cargo xtask page`: a folder of plain files that is a page, with the Pico's firmware on a model of its chip and the
//! runtime as WebAssembly.

mod expected;
mod screenshot;

use crate::boards::{self, install, node_tests};
use crate::firmware::{self, root, target_dir};
use anyhow::{ensure, Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the runtime is compiled to.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Of `tools/page/web`, those that are copied as they are.
const COPIED: [&str; 2] = ["index.html", "style.css"];
/// Browsers that run the tests, the first that is found.
const BROWSERS: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/// Screenshots that the tests take.
const PICTURES: [&str; 3] = ["page.png", "page-model.png", "page-phone.png"];

/// Options of `page`.
#[derive(Debug, Args)]
pub struct Page {
    /// The folder to write to
    #[arg(long, value_name = "FOLDER", default_value = "dist/page")]
    out: PathBuf,
}

/// Writes the page.
pub fn write(options: &Page) -> Result<()> {
    let out = std::env::current_dir()?.join(&options.out);
    build(&out)?;
    println!("{}: a page of plain files; any web server shows it, such as", out.display());
    println!("  python3 -m http.server --bind 127.0.0.1 --directory {} 8000", options.out.display());
    println!("at http://127.0.0.1:8000");
    Ok(())
}

/// Whether the toolchain has the standard library of [`TARGET`], which rustup alone brings; says so where not.
///
/// # Errors
/// A target that cannot be added.
pub fn has_library() -> Result<bool> {
    firmware::require_target(TARGET)?;
    let found = firmware::has_library(TARGET, "std")?;
    if !found {
        eprintln!("page: LEFT OUT, since std of {TARGET} is not here: `rustup target add {TARGET}` needs a network");
    }
    Ok(found)
}

/// Builds the page, and tests it in a browser without a window against what this host draws. The picture of it lies beside
/// the boards' displays.
///
/// # Errors
/// A browser that is not there, or a test that fails.
pub fn check() -> Result<()> {
    if !has_library()? {
        return Ok(());
    }
    let (folder, place) = (root().join("tools/page"), target_dir().join("page"));
    let browser = browser()?;
    build(&place)?;
    let expected = target_dir().join("page-expected.json");
    std::fs::write(&expected, serde_json::to_vec(&expected::draws()?)?)
        .with_context(|| format!("cannot write {}", expected.display()))?;
    let picture = target_dir().join("displays/page.png");
    std::fs::create_dir_all(picture.parent().expect("has a parent"))?;
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=tap"]).current_dir(folder);
    node.env("BROWNIAN_PAGE", &place).env("BROWNIAN_EXPECTED", &expected).env("BROWNIAN_PICTURE", &picture);
    node.env("BROWNIAN_BROWSER", browser).env("BROWNIAN_ROOT", root());
    node_tests(&mut node, "tools/page")?;
    for name in PICTURES {
        let path = picture.with_file_name(name);
        screenshot::shrink(&path)?;
        eprintln!("the page: {}", path.display());
    }
    Ok(())
}

/// A browser on the path.
fn browser() -> Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = BROWSERS.iter().flat_map(|name| std::env::split_paths(&path).map(move |folder| folder.join(name)));
    found.into_iter().find(|file| file.is_file()).with_context(|| {
        format!("the page's tests need one of {}: on Debian the package chromium brings it", BROWSERS.join(", "))
    })
}

fn build(out: &Path) -> Result<()> {
    let folder = root().join("tools/page");
    // The bundle holds the models of boards and what they import.
    install(&root().join("tools/boards"))?;
    install(&folder)?;
    firmware::require_target(TARGET)?;
    firmware::cargo("tools/page", &["build", "--quiet", "--release", "--locked"], "building tools/page")?;
    let module = target_dir().join(TARGET).join("release/brownian_page.wasm");
    let firmware = boards::file_of("pico")?;

    let models = out.join("models");
    std::fs::create_dir_all(&models).with_context(|| format!("cannot make {}", models.display()))?;
    let status =
        Command::new("node").arg("build.mjs").arg(out).current_dir(&folder).status().context("cannot run node")?;
    ensure!(status.success(), "the scripts of tools/page cannot be bundled");
    for name in COPIED {
        copy(&folder.join("web").join(name), &out.join(name))?;
    }
    copy(&module, &out.join("brownian.wasm"))?;
    copy(&root().join("tools/boards/node_modules/rp2040js/LICENSE"), &out.join("rp2040js-LICENSE.txt"))?;
    for name in expected::MODELS {
        copy(&brownian_tests::shipped_model(name), &models.join(name).with_extension("brn"))?;
    }
    let place = out.join("brownian-pico.uf2");
    std::fs::write(&place, firmware).with_context(|| format!("cannot write {}", place.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).with_context(|| format!("cannot copy {} to {}", from.display(), to.display())).map(|_| ())
}
