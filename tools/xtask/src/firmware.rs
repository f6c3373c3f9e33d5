//! Builds the emulated targets' firmware and measures its sections.

use crate::machines::Machine;
use anyhow::{bail, ensure, Context, Result};
use object::{Object, ObjectSection, ObjectSymbol, SectionFlags};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("tools/xtask is two below the root").to_path_buf()
}

/// Where firmware is built: beside the workspace's own build outputs.
pub fn target_dir() -> PathBuf {
    host_target_dir().join("boards")
}

/// Where Cargo builds the workspace for this machine.
pub fn host_target_dir() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// Whether the toolchain has this library of a target: `core`, `std`.
pub fn has_library(target: &str, library: &str) -> Result<bool> {
    let output = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(root())
        .output()
        .context("cannot run rustc")?;
    let libdir = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let start = format!("lib{library}-");
    Ok(std::fs::read_dir(libdir)
        .is_ok_and(|mut files| files.any(|f| f.is_ok_and(|f| f.file_name().to_string_lossy().starts_with(&start)))))
}

/// Adds a Rust target with rustup unless the toolchain has it.
pub fn require_target(target: &str) -> Result<()> {
    if has_library(target, "core")? {
        return Ok(());
    }
    eprintln!("adding the Rust target {target}");
    let added = Command::new("rustup").args(["target", "add", target]).current_dir(root()).status();
    ensure!(
        added.is_ok_and(|s| s.success()),
        "the Rust target {target} is missing and `rustup target add {target}` failed: check rustup and the network"
    );
    Ok(())
}

/// Runs cargo in `folder` (relative to the root) with the firmware's target directory; fails with `what` on an error.
pub fn cargo(folder: &str, args: &[impl AsRef<OsStr>], what: &str) -> Result<()> {
    let status = cargo_command(folder, args).status().context("cannot run cargo")?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}

/// Runs cargo in the root workspace, with its own target directory; warnings of rustdoc are errors.
pub fn host_cargo(args: &[&str], what: &str) -> Result<()> {
    let mut command = Command::new("cargo");
    command.args(args).current_dir(root()).env("RUSTDOCFLAGS", "-D warnings");
    let status = command.status().context("cannot run cargo")?;
    ensure!(status.success(), "{what} failed");
    Ok(())
}

/// Like [`cargo`], but returns whether it succeeded and what it printed on stderr.
pub fn cargo_captured(folder: &str, args: &[impl AsRef<OsStr>]) -> Result<(bool, String)> {
    let output = cargo_command(folder, args).stdout(Stdio::null()).output().context("cannot run cargo")?;
    Ok((output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned()))
}

/// Cargo in `folder` (relative to the root), with the firmware's target directory.
pub fn cargo_command(folder: &str, args: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new("cargo");
    // The folder's own toolchain and flags count, not those of the cargo that runs this program.
    command.args(args).current_dir(root().join(folder)).env("CARGO_TARGET_DIR", target_dir()).env_remove("RUSTFLAGS");
    command
}

/// What to build of `boards/qemu`.
#[derive(Debug, Clone, Copy)]
pub struct Build<'a> {
    /// For this machine.
    pub machine: &'a Machine,
    /// The program.
    pub bin: &'a str,
    /// Whether to take the portable kernels although the machine has fast ones.
    pub portable: bool,
    /// The model file to build in.
    pub model: &'a Path,
    /// Whether it may have all the RAM there is, instead of what shipped models need.
    pub any_ram: bool,
}

impl Build<'_> {
    /// Builds it and returns the path of a copy that later builds leave alone.
    pub fn run(&self) -> Result<PathBuf> {
        let Self { machine, bin, .. } = *self;
        require_target(machine.target)?;
        let mut command = cargo_command("boards/qemu", &["build", "--quiet", "--release", "--bin", bin]);
        command.args(machine.cargo_args(self.portable));
        if bin == "edits" {
            command.args(["--features", "edits"]);
        }
        command.env("BROWNIAN_MODEL", self.model);
        match self.any_ram {
            true => command.env("BROWNIAN_ANY_RAM", "1"),
            false => command.env_remove("BROWNIAN_ANY_RAM"),
        };
        let status = command.status().context("cannot run cargo")?;
        ensure!(status.success(), "building {bin} for {} failed", machine.name);
        let built = target_dir().join(machine.target).join("release").join(bin);
        let model = self.model.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{bin}-{model}-{}-{}.elf", machine.name, machine.backend(self.portable));
        let kept = target_dir().join("elf").join(name);
        std::fs::create_dir_all(kept.parent().expect("has a parent"))?;
        std::fs::copy(&built, &kept).with_context(|| format!("cannot copy {}", built.display()))?;
        Ok(kept)
    }
}

/// Bytes of a firmware, by section.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sizes {
    /// Code.
    pub text: u64,
    /// Constants, the model among them.
    pub rodata: u64,
    /// Initialised and zeroed variables.
    pub statics: u64,
}

/// Reads the section sizes of an ELF file.
pub fn sizes(elf: &Path) -> Result<Sizes> {
    let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", elf.display()))?;
    let mut sizes = Sizes::default();
    for section in file.sections() {
        let SectionFlags::Elf { sh_flags } = section.flags() else { bail!("{} is no ELF file", elf.display()) };
        let flags = sh_flags as u32;
        // The stack is measured, not reserved.
        if flags & object::elf::SHF_ALLOC == 0 || section.name() == Ok(".stack") {
            continue;
        }
        let counter = if flags & object::elf::SHF_EXECINSTR != 0 {
            &mut sizes.text
        } else if flags & object::elf::SHF_WRITE != 0 {
            &mut sizes.statics
        } else {
            &mut sizes.rodata
        };
        *counter += section.size();
    }
    Ok(sizes)
}

/// The value of a symbol of an ELF file.
pub fn symbol(elf: &Path, name: &str) -> Result<u64> {
    let bytes = std::fs::read(elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", elf.display()))?;
    let found = file.symbols().find(|symbol| symbol.name() == Ok(name)).map(|symbol| symbol.address());
    found.with_context(|| format!("{} has no symbol {name}", elf.display()))
}
