//! The Python package: its wheel is built, installed into a clean environment and tested there.

use crate::firmware::{host_cargo, host_target_dir, root, target_dir};
use anyhow::{ensure, Context, Result};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What the tests of `brownian.torch` run beside the wheel.
const PROGRAMS: [&str; 6] = ["--bin", "trainer", "--example", "float_outputs", "--example", "training_draws"];

/// Builds the wheel of `python/`, installs it beside the packages that `python/requirements.txt` and, for
/// `brownian.torch`, `python/requirements-torch.txt` pin, checks its types, runs its tests and the example notebook.
///
/// # Errors
///
/// If one of them fails.
pub fn run() -> Result<()> {
    let (folder, place) = (root().join("python"), target_dir().with_file_name("python"));
    let (environment, wheels) = (place.join("environment"), place.join("wheels"));
    let program = |name: &str| environment.join(if cfg!(windows) { "Scripts" } else { "bin" }).join(name);
    let python = program("python");

    let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment).status();
    let made = made.context("cannot run python3: the package needs Python 3.11 or later")?;
    ensure!(made.success(), "`python3 -m venv` failed: on Debian and Ubuntu the package python3-venv brings it");
    let pip = ["-B", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-compile", "--no-deps"];
    let install = |what: &[&OsStr]| {
        let arguments = pip.iter().map(OsStr::new).chain(what.iter().copied());
        succeed(Command::new(&python).args(arguments), "pip install")
    };
    install(&["-r".as_ref(), folder.join("requirements.txt").as_os_str()])?;
    let begin = Instant::now();
    install(&["-r".as_ref(), folder.join("requirements-torch.txt").as_os_str()])?;
    eprintln!("PyTorch: installed in {} s", begin.elapsed().as_secs());
    // As `cargo test` builds them.
    let build = ["build", "--quiet", "--profile", "test", "--package", "brownian-trainer"];
    host_cargo(&[&build[..], &PROGRAMS].concat(), "cargo build of the trainer")?;

    // Of an earlier version there may be another.
    if wheels.exists() {
        std::fs::remove_dir_all(&wheels).with_context(|| format!("cannot remove {}", wheels.display()))?;
    }
    let mut maturin = Command::new(program("maturin"));
    maturin.args(["build", "--quiet", "--release", "--locked", "--out"]).arg(&wheels);
    maturin.current_dir(&folder).env("CARGO_TARGET_DIR", &place).env_remove("RUSTFLAGS");
    succeed(&mut maturin, "maturin build")?;
    let wheel = only_file(&wheels)?;
    let len = std::fs::metadata(&wheel)?.len();
    eprintln!("{}: {} KB", wheel.file_name().unwrap_or_default().to_string_lossy(), len / 1024);
    install(&["--no-index".as_ref(), wheel.as_os_str()])?;
    succeed(Command::new(&python).args(["-B", "-m", "pip", "check", "--quiet"]), "pip check")?;

    // Not in `python/`, whose sources would be taken for the package.
    let tests = folder.join("tests");
    let mut types = Command::new(&python);
    types.args(["-B", "-m", "mypy", "--strict", "--no-error-summary", "--package", "brownian", "--cache-dir"]);
    succeed(types.arg(place.join("types")).current_dir(&tests), "mypy")?;
    let trainer = host_target_dir().join("debug").join(format!("trainer{}", std::env::consts::EXE_SUFFIX));
    let mut pytest = Command::new(&python);
    pytest.args(["-B", "-m", "pytest", "--quiet"]).current_dir(&tests).env("BROWNIAN_TRAINER", trainer);
    succeed(&mut pytest, "pytest")?;
    let mut notebook = Command::new(program("jupyter-execute"));
    notebook.args(["--timeout=120", "--kernel_name=python3", "draw.ipynb"]).current_dir(folder.join("examples"));
    succeed(&mut notebook, "the notebook python/examples/draw.ipynb")
}

fn succeed(command: &mut Command, what: &str) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot run {what}"))?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}

/// The only file of a folder.
fn only_file(folder: &Path) -> Result<PathBuf> {
    let files = std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let files: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<Result<_>>()?;
    ensure!(files.len() == 1, "{} has {} files, not one wheel", folder.display(), files.len());
    Ok(files[0].clone())
}
