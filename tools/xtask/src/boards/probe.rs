//! A debug probe at a board that runs: it gets the lines that the serial line says, by defmt over RTT.

use super::image::Image;
use super::machine::Machine;
use crate::firmware;
use anyhow::{ensure, Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The crate that reads frames of defmt, a workspace of its own.
const DECODER: &str = "tools/rtt";

/// An attached probe.
#[derive(Debug)]
pub struct Probe {
    elf: PathBuf,
}

impl Probe {
    /// Attaches one to a board that has not executed anything yet.
    ///
    /// # Errors
    /// The firmware is built without RTT.
    pub fn attach(machine: &mut Machine, elf: &Path) -> Result<Self> {
        machine.attach(Image::read(elf)?.symbol("_SEGGER_RTT")?)?;
        Ok(Self { elf: elf.to_path_buf() })
    }

    /// Compares all that it has got with `said`, the serial line's words from the first on; returns how many lines these are.
    /// The probe may have got more, as a line goes to it first.
    ///
    /// # Errors
    /// The first line that differs.
    pub fn compare(&self, machine: &mut Machine, said: &str) -> Result<usize> {
        let shown = self.decode(&machine.fetch()?)?;
        same_lines(&shown, said)
    }

    /// The lines in these bytes.
    fn decode(&self, bytes: &[u8]) -> Result<String> {
        firmware::cargo(DECODER, &["build", "--quiet", "--release", "--locked"], "building tools/rtt")?;
        let mut command = Command::new(firmware::target_dir().join("release/brownian-rtt"));
        let child = command.arg(&self.elf).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = child.with_context(|| format!("cannot run {}", command.get_program().display()))?;
        // It reads all before it writes. Dropped afterwards, which is the end of the bytes.
        child.stdin.take().expect("piped").write_all(bytes)?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "what the firmware has said by RTT cannot be read");
        Ok(String::from_utf8(output.stdout)?)
    }
}

/// How many whole lines `said` has, each of which must be the one of `shown` at its place.
fn same_lines(shown: &str, said: &str) -> Result<usize> {
    let mut shown = shown.lines();
    let whole = &said[..said.rfind('\n').map_or(0, |end| end + 1)];
    for (index, said) in whole.lines().enumerate() {
        let found = shown.next().unwrap_or("nothing more");
        ensure!(found == said, "line {}: the serial line says '{said}', a probe shows '{found}'", index + 1);
    }
    let count = whole.lines().count();
    ensure!(count > 0, "the serial line has said nothing");
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole lines are compared in their order, ends of lines apart; a probe may be ahead.
    #[test]
    fn lines_are_compared() {
        let said = "brownian on Pico\r\n  .:  \r\nstep 1\r\nste";
        assert_eq!(same_lines("brownian on Pico\n  .:  \nstep 1\nstep 2\n", said).unwrap(), 3);
        let refused = |shown| same_lines(shown, said).unwrap_err().to_string();
        assert_eq!(
            refused("brownian on Pico\n  .:\nstep 1\n"),
            "line 2: the serial line says '  .:  ', a probe shows '  .:'"
        );
        assert!(refused("brownian on Pico\n").contains("line 2: ") && refused("").contains("'nothing more'"));
        assert!(same_lines("brownian on Pico\n", "").unwrap_err().to_string().contains("said nothing"));
    }
}
