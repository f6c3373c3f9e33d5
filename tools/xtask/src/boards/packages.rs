//! What models of chips are made of: packages of Node.js and Python, installed as their lockfiles say.

use super::list::{Board, Model};
use crate::firmware::{root, target_dir};
use anyhow::{ensure, Context, Result};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Installs what these boards' models need and runs the models' own tests.
pub fn prepare(boards: &[&Board]) -> Result<()> {
    let needs = |model| boards.iter().any(|board| board.model == Some(model));
    if needs(Model::Node) {
        node()?;
    }
    if needs(Model::Unicorn) || needs(Model::Qemu) {
        python()?;
    }
    Ok(())
}

/// The program that serves requests to a model of a board's chip.
pub fn server(board: &Board, model: Model) -> Command {
    match model {
        Model::Node => {
            let mut command = Command::new("node");
            command.arg("src/serve.mjs").current_dir(folder(Model::Node));
            command
        }
        Model::Unicorn | Model::Qemu => {
            let mut command = Command::new(interpreter());
            command.args(["-B", "-m", "chips.serve", board.name]).current_dir(folder(Model::Unicorn));
            command
        }
    }
}

fn folder(model: Model) -> PathBuf {
    root().join(match model {
        Model::Node => "tools/boards",
        Model::Unicorn | Model::Qemu => "tools/chips",
    })
}

/// The virtual environment, beside the build outputs.
fn environment() -> PathBuf {
    target_dir().join("chips-python")
}

fn interpreter() -> PathBuf {
    environment().join(if cfg!(windows) { "Scripts/python.exe" } else { "bin/python" })
}

/// Whether `stamp` is younger than `lockfile`.
fn is_fresh(stamp: &Path, lockfile: &Path) -> Result<bool> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|metadata| metadata.modified());
    let wanted = time(lockfile).with_context(|| format!("cannot read {}", lockfile.display()))?;
    Ok(time(stamp).is_ok_and(|time| time >= wanted))
}

fn node() -> Result<()> {
    let folder = folder(Model::Node);
    install(&folder)?;
    node_tests(Command::new("node").arg("--test").current_dir(&folder), "tools/boards")
}

/// Installs the packages of Node.js that a folder's lockfile names, unless they are there.
pub fn install(folder: &Path) -> Result<()> {
    if is_fresh(&folder.join("node_modules/.package-lock.json"), &folder.join("package-lock.json"))? {
        return Ok(());
    }
    let name = folder.strip_prefix(root()).unwrap_or(folder).display();
    eprintln!("installing the packages of {name}");
    let mut npm = Command::new("npm");
    let status = npm.args(["ci", "--no-audit", "--no-fund", "--silent"]).current_dir(folder).status();
    let status = status.with_context(|| format!("cannot run npm: {name} needs Node.js 18 or later with npm"))?;
    ensure!(status.success(), "`npm ci` failed in {name}");
    Ok(())
}

/// Runs tests of Node.js; fails where one fails, and where there are none.
pub fn node_tests(command: &mut Command, name: &str) -> Result<()> {
    let output = command.output().context("cannot run node")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let has_run = text.lines().any(|line| line.starts_with("# pass ") && line != "# pass 0");
    ensure!(output.status.success() && has_run && text.contains("\n# fail 0"), "the tests of {name} failed:\n{text}");
    Ok(())
}

fn python() -> Result<()> {
    let folder = folder(Model::Unicorn);
    let lockfile = folder.join("requirements.txt");
    let stamp = environment().join("installed");
    if !is_fresh(&stamp, &lockfile)? {
        eprintln!("installing the packages of tools/chips");
        let made = Command::new("python3").args(["-m", "venv", "--clear"]).arg(environment()).status();
        let made = made.context("cannot run python3: the models of chips need Python 3.9 or later")?;
        ensure!(made.success(), "`python3 -m venv` failed: on Debian and Ubuntu the package python3-venv brings it");
        let mut pip = Command::new(interpreter());
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "-r"]);
        let status = pip.arg(&lockfile).status().context("cannot run pip")?;
        ensure!(status.success(), "`pip install -r tools/chips/requirements.txt` failed");
        std::fs::write(&stamp, "")?;
    }
    let mut tests = Command::new(interpreter());
    let output =
        tests.args(["-B", "-m", "unittest", "discover", "-s", "tests", "-t", "."]).current_dir(folder).output();
    let output = output.context("cannot run the tests of tools/chips")?;
    let text = String::from_utf8_lossy(&output.stderr);
    // A run that finds no tests would end well, too.
    let has_run = text.lines().any(|line| line.starts_with("Ran ") && !line.starts_with("Ran 0"));
    ensure!(output.status.success() && has_run, "the tests of tools/chips failed:\n{text}");
    Ok(())
}
