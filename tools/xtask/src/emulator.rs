//! Runs firmware in QEMU, counted in instructions, under a time limit.

use crate::machines::Machine;
use anyhow::{bail, Context, Result};
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use wait_timeout::ChildExt;

/// Fails with the name of the Debian package when the machine's QEMU is not installed.
pub fn require(machine: &Machine) -> Result<()> {
    match Command::new(machine.qemu).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        _ => bail!(
            "{} is not installed: `apt-get install --no-install-recommends {}` brings it",
            machine.qemu,
            machine.package
        ),
    }
}

/// How a firmware ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this status: 0 is success.
    Exit(i32),
    /// Not at all: it was stopped at the time limit, or a signal ended the emulator.
    Stopped,
}

/// Runs `elf` on `machine` with `args` as its command line and returns all that it printed.
///
/// Fails when the firmware exits with another code than 0 (a panic or a fault does) or runs past `limit`.
pub fn run(machine: &Machine, elf: &Path, args: &[String], limit: Duration) -> Result<String> {
    let (ending, text) = run_to_any_end(machine, elf, args, limit)?;
    match ending {
        Ending::Exit(0) => Ok(text),
        Ending::Exit(status) => bail!("{}: exit status {status}; {}", machine.name, tail(&text)),
        Ending::Stopped => bail!("{}: stopped after {} s; {}", machine.name, limit.as_secs(), tail(&text)),
    }
}

/// Like [`run`], but every ending is a result.
pub fn run_to_any_end(machine: &Machine, elf: &Path, args: &[String], limit: Duration) -> Result<(Ending, String)> {
    run_loaded(machine, elf, args, None, limit)
}

/// Like [`run_to_any_end`], with the bytes of a file in the machine's memory from an address on.
pub fn run_loaded(
    machine: &Machine,
    elf: &Path,
    args: &[String],
    load: Option<(&Path, u64)>,
    limit: Duration,
) -> Result<(Ending, String)> {
    let mut semihosting = String::from("enable=on,target=native");
    for arg in std::iter::once("firmware").chain(args.iter().map(String::as_str)) {
        semihosting.push_str(",arg=");
        semihosting.push_str(&arg.replace(',', ",,"));
    }
    let mut child = Command::new(machine.qemu)
        .args(machine.machine)
        .args(["-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0"])
        .args(["-semihosting-config", &semihosting])
        .arg("-kernel")
        .arg(elf)
        .args(load.iter().flat_map(|(file, address)| {
            ["-device".into(), format!("loader,file={},addr={address:#x},force-raw=on", file.display())]
        }))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {}", machine.qemu))?;
    let mut stdout = child.stdout.take().expect("piped");
    let mut stderr = child.stderr.take().expect("piped");
    let readers =
        [std::thread::spawn(move || read_all(&mut stdout)), std::thread::spawn(move || read_all(&mut stderr))];
    let status = child.wait_timeout(limit)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let text: String = readers.into_iter().map(|r| r.join().expect("reader")).collect();
    let ending = status.and_then(|s| s.code()).map_or(Ending::Stopped, Ending::Exit);
    Ok((ending, text))
}

fn read_all(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // A read error ends the text early; what is missing shows when it is parsed.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last words of a firmware, on one line.
fn tail(text: &str) -> String {
    match text.lines().rev().find(|l| !l.trim().is_empty()) {
        Some(line) => format!("it said last: {}", line.trim()),
        None => "it said nothing".into(),
    }
}
