//! A folder of files that are ready to be dropped on boards.

use super::file;
use super::list::Board;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// Writes a file a board, `SHA256SUMS` and a page that says which file is for which board.
pub fn write(folder: &Path, files: &[(&Board, Vec<u8>)]) -> Result<()> {
    let say = || format!("cannot write to {}", folder.display());
    std::fs::create_dir_all(folder).with_context(say)?;
    let mut page = String::from("# Firmware\n\n");
    page += "| board | file | bring up its drive | then | executed |\n|---|---|---|---|---|\n";
    let mut sums = String::new();
    for (board, bytes) in files {
        let name = file::name(board);
        std::fs::write(folder.join(&name), bytes).with_context(say)?;
        let (how, then) = match &board.drive {
            Some(drive) => (drive.how, "drop the file on it"),
            None => ("it has none", board.file.taken_by()),
        };
        let executed = if board.model.is_some() { "on a model of its chip" } else { "not yet" };
        writeln!(page, "| {} | `{name}` | {how} | {then} | {executed} |", board.figures().title)?;
        // The format that `sha256sum --check` reads.
        let sum: String = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        writeln!(sums, "{sum}  {name}")?;
    }
    page +=
        "\n`sha256sum --check SHA256SUMS` checks the files. None has been run on silicon yet. `docs/how-to/flash.md` says \
             what\nyou should see.\n";
    std::fs::write(folder.join("README.md"), page).with_context(say)?;
    std::fs::write(folder.join("SHA256SUMS"), sums).with_context(say)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list;

    /// The sum is the one of "abc" in FIPS 180-2.
    #[test]
    fn every_file_has_its_sum_and_its_line() {
        let folder = std::env::temp_dir().join(format!("brownian-dist-{}", std::process::id()));
        let [pico, esp] = ["pico", "esp32c3"].map(|name| list::find(name).unwrap());
        write(&folder, &[(pico, b"abc".to_vec()), (esp, b"def".to_vec())]).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let sum = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  brownian-pico.uf2\n";
        assert!(read("SHA256SUMS").starts_with(sum));
        assert_eq!(read("SHA256SUMS").lines().count(), 2);
        let page = read("README.md");
        assert!(page.contains("| Raspberry Pi Pico | `brownian-pico.uf2` | hold BOOTSEL"), "{page}");
        assert!(page.contains("| Espressif ESP32-C3 | `brownian-esp32c3.elf` | it has none | `espflash flash` takes"));
        assert_eq!([page.matches("| on a model of its chip |").count(), page.matches("| not yet |").count()], [1, 1]);
        assert_eq!(read("brownian-pico.uf2"), "abc");
    }
}
