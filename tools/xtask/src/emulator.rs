//! Runs firmware in QEMU, counted in instructions, under a time limit.
//!
//! The first program of the machine's name on the `PATH` runs: another folder before the others there chooses another
//! version.

use crate::machines::Machine;
use anyhow::{bail, Context, Result};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::Read;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use wait_timeout::ChildExt;

/// Fails with the name of the Debian package when the machine's QEMU is not installed, and with what QEMU says when it
/// does not know the machine.
pub fn require(machine: &Machine) -> Result<()> {
    match Command::new(machine.qemu).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status() {
        Ok(status) if status.success() => cpu(machine).map(|_| ()),
        _ => bail!(
            "{} is not installed: `apt-get install --no-install-recommends {}` brings it",
            machine.qemu,
            machine.package
        ),
    }
}

/// The arguments that choose the core: the first of the machine's that the installed QEMU takes, found once.
fn cpu(machine: &Machine) -> Result<Option<&'static str>> {
    static FOUND: Mutex<Option<HashMap<&str, &str>>> = Mutex::new(None);
    if machine.cpus.is_empty() {
        return Ok(None);
    }
    let mut found = FOUND.lock().expect("no thread panicked");
    let found = found.get_or_insert_default();
    if let Some(cpu) = found.get(machine.name) {
        return Ok(Some(cpu));
    }
    let mut refusals = String::new();
    for &cpu in machine.cpus {
        let tried = Command::new(machine.qemu)
            .args(machine.board)
            .args(["-cpu", cpu, "-S", "-display", "none", "-serial", "none", "-monitor", "stdio"])
            .stdin(quit()?)
            .output()
            .with_context(|| format!("cannot start {}", machine.qemu))?;
        if tried.status.success() {
            found.insert(machine.name, cpu);
            return Ok(Some(cpu));
        }
        refusals += &format!("\n  -cpu {cpu}: {}", last_line(&String::from_utf8_lossy(&tried.stderr)));
    }
    bail!("{}: {} takes none of the cores known for it:{refusals}", machine.name, machine.qemu)
}

/// Standard input that ends QEMU's monitor.
fn quit() -> Result<Stdio> {
    let (reader, mut writer) = std::io::pipe()?;
    std::io::Write::write_all(&mut writer, b"quit\n")?;
    Ok(reader.into())
}

/// QEMU for a machine, counting an instruction a nanosecond, with `args` as the firmware's command line.
pub fn command(machine: &Machine, elf: &Path, args: &[String]) -> Result<Command> {
    let mut semihosting = String::from("enable=on,target=native");
    for arg in std::iter::once("firmware").chain(args.iter().map(String::as_str)) {
        semihosting.push_str(",arg=");
        semihosting.push_str(&arg.replace(',', ",,"));
    }
    let mut command = Command::new(machine.qemu);
    command.args(machine.board).args(cpu(machine)?.iter().flat_map(|cpu| ["-cpu", cpu]));
    command.args(["-nographic", "-monitor", "none", "-serial", "none", "-icount", "shift=0"]);
    command.args(["-semihosting-config", &semihosting]).arg("-kernel").arg(elf).stdin(Stdio::null());
    Ok(command)
}

/// How a firmware ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With this status: 0 is success.
    Exit(i32),
    /// Not at all: it was stopped at the time limit, or a signal ended the emulator.
    Stopped,
}

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// How.
    pub ending: Ending,
    /// What the firmware printed.
    pub text: String,
    /// What QEMU itself said.
    pub complaint: String,
}

impl Run {
    /// The ending, the firmware's last line and all that QEMU said: for error messages.
    pub fn tell(&self) -> String {
        let ending = match self.ending {
            Ending::Exit(status) => format!("exit status {status}"),
            Ending::Stopped => "stopped before its end".into(),
        };
        let last = match last_line(&self.text) {
            "" => "it printed nothing".into(),
            line => format!("it printed last: {line}"),
        };
        match self.complaint.trim() {
            "" => format!("{ending}; {last}"),
            complaint => format!("{ending}; {last}; QEMU said: {complaint}"),
        }
    }
}

/// Runs `elf` on `machine` with `args` as its command line and returns all that it printed.
///
/// Fails when the firmware exits with another code than 0 (a panic or a fault does) or runs past `limit`.
pub fn run(machine: &Machine, elf: &Path, args: &[String], limit: Duration) -> Result<String> {
    let run = run_to_any_end(machine, elf, args, limit)?;
    match run.ending {
        Ending::Exit(0) => Ok(run.text),
        Ending::Exit(_) => bail!("{}: {}", machine.name, run.tell()),
        Ending::Stopped => bail!("{}: {} (the limit is {} s)", machine.name, run.tell(), limit.as_secs()),
    }
}

/// Like [`run`], but every ending is a result.
pub fn run_to_any_end(machine: &Machine, elf: &Path, args: &[String], limit: Duration) -> Result<Run> {
    finish(command(machine, elf, args)?, limit)
}

/// Like [`run_to_any_end`], with the bytes of a file in the machine's memory from an address on.
pub fn run_loaded(machine: &Machine, elf: &Path, args: &[String], load: (&Path, u64), limit: Duration) -> Result<Run> {
    let mut command = command(machine, elf, args)?;
    let mut device = OsString::from("loader,file=");
    device.push(load.0);
    device.push(format!(",addr={:#x},force-raw=on", load.1));
    command.arg("-device").arg(device);
    finish(command, limit)
}

fn finish(mut command: Command, limit: Duration) -> Result<Run> {
    let program = command.get_program().to_owned();
    let started = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let mut child = started.with_context(|| format!("cannot start {}", program.display()))?;
    let mut stdout = child.stdout.take().expect("piped");
    let mut stderr = child.stderr.take().expect("piped");
    let readers =
        [std::thread::spawn(move || read_all(&mut stdout)), std::thread::spawn(move || read_all(&mut stderr))];
    let status = child.wait_timeout(limit)?;
    if status.is_none() {
        child.kill()?;
        child.wait()?;
    }
    let [text, complaint] = readers.map(|reader| reader.join().expect("reader"));
    let ending = status.and_then(|s| s.code()).map_or(Ending::Stopped, Ending::Exit);
    Ok(Run { ending, text, complaint })
}

fn read_all(from: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    // A read error ends the text early; what is missing shows when it is parsed.
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The last line that is not blank, or nothing.
fn last_line(text: &str) -> &str {
    text.lines().rev().map(str::trim).find(|line| !line.is_empty()).unwrap_or("")
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A program in place of QEMU that runs `script`; it lives as long as the tests.
    fn fake(name: &str, script: &str, cpus: &'static [&'static str]) -> Machine {
        let folder = std::env::temp_dir().join(format!("brownian-fake-qemu-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let qemu: &'static str = path.to_str().unwrap().to_string().leak();
        let name: &'static str = name.to_string().leak();
        Machine { name, qemu, cpus, ..*crate::machines::find("rv32").unwrap() }
    }

    /// What an emulator that fails says is in the error, and so is what the firmware printed before.
    #[test]
    fn an_emulator_that_fails_shows_what_it_said() {
        let machine = fake("fails", "echo step 7; echo Zawrs extension requires A extension >&2; exit 1", &[]);
        let error = run(&machine, Path::new("x.elf"), &[], Duration::from_secs(30)).unwrap_err().to_string();
        assert_eq!(
            error,
            "fails: exit status 1; it printed last: step 7; QEMU said: Zawrs extension requires A extension"
        );
    }

    /// The first core that QEMU takes is used; where it takes none, its words to each are shown.
    #[test]
    fn the_first_core_that_qemu_takes_is_used() {
        let script = r#"case "$*" in *new=off*) echo "Property 'new' not found" >&2; exit 1;; esac; echo "$*""#;
        let machine = fake("old", script, &["core,new=off", "core"]);
        let said = run(&machine, Path::new("x.elf"), &["a,b".into()], Duration::from_secs(30)).unwrap();
        assert!(said.contains("-cpu core -nographic") && said.contains("arg=firmware,arg=a,,b"), "{said}");
        let machine = fake("older", script, &["core,new=off"]);
        let error = require(&machine).unwrap_err().to_string();
        assert!(error.contains("core,new=off: Property 'new' not found"), "{error}");
    }

    /// A program that is not there is named, with the package that has it.
    #[test]
    fn a_missing_emulator_is_named() {
        let machine = Machine { qemu: "/nowhere/qemu-system-x", ..*crate::machines::find("m4").unwrap() };
        let error = require(&machine).unwrap_err().to_string();
        assert!(
            error.contains("/nowhere/qemu-system-x is not installed") && error.contains("qemu-system-arm"),
            "{error}"
        );
    }
}
