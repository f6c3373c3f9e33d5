//! A folder of files that are ready to be dropped on boards.

use super::file;
use super::image::Image;
use super::list::Board;
use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::path::Path;

/// Makes the folder, unless it is there.
pub fn make(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("cannot write to {}", folder.display()))
}

/// Writes what each board takes of its image, in each form, `SHA256SUMS`, and a page that says which file is for which board.
pub fn write(folder: &Path, images: &[(&Board, Image)]) -> Result<()> {
    let say = || format!("cannot write to {}", folder.display());
    make(folder)?;
    let mut page = String::from("# Firmware\n\n");
    page += "| board | file | bring up its drive | then | executed |\n|---|---|---|---|---|\n";
    let mut sums = String::new();
    for (board, image) in images {
        for form in [Some(board.file), board.other_file].into_iter().flatten() {
            let (name, bytes) = (file::name_in_form(board, form), file::in_form(form, image)?);
            std::fs::write(folder.join(&name), &bytes).with_context(say)?;
            let (how, then) = match &board.drive {
                Some(drive) if form == board.file => (drive.how, "drop the file on it".to_owned()),
                Some(_) => ("not needed", form.taken_by()),
                None => ("it has none", form.taken_by()),
            };
            let executed = if board.model.is_some() { "on a model of its chip" } else { "not yet" };
            writeln!(page, "| {} | `{name}` | {how} | {then} | {executed} |", board.figures().title)?;
            // The format that `sha256sum --check` reads.
            let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
            writeln!(sums, "{sum}  {name}")?;
        }
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

    /// A file is no place for a folder.
    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = make(&crate::firmware::root().join("Cargo.toml")).unwrap_err().to_string();
        assert!(error.starts_with("cannot write to ") && error.ends_with("Cargo.toml"), "{error}");
    }

    /// Every form has its line and its sum: that of "abc" in FIPS 180-2, and of an image without bytes that of none.
    #[test]
    fn every_file_has_its_sum_and_its_line() {
        let folder = std::env::temp_dir().join(format!("brownian-dist-{}", std::process::id()));
        let [esp, stm32] = ["esp32c3", "stm32f411"].map(|name| list::find(name).unwrap());
        let mut image = Image::default();
        image.add(0x0800_0000, b"abc".to_vec());
        write(&folder, &[(esp, Image::default()), (stm32, image)]).unwrap();
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let sums = read("SHA256SUMS");
        for line in [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855  brownian-esp32c3.elf",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  brownian-stm32f411.bin",
        ] {
            assert!(sums.lines().any(|found| found == line), "{sums}");
        }
        assert_eq!(sums.lines().count(), 3);
        let page = read("README.md");
        assert!(page.contains("| Espressif ESP32-C3 | `brownian-esp32c3.elf` | it has none | `espflash flash` takes"));
        let bin =
            "`brownian-stm32f411.bin` | it has none | `dfu-util --alt 0 --dfuse-address 0x08000000:leave --download";
        assert!(page.contains(bin) && page.contains("`brownian-stm32f411.hex` | it has none | a probe"), "{page}");
        assert_eq!([page.matches("| on a model of its chip |").count(), page.matches("| not yet |").count()], [2, 1]);
        assert_eq!(read("brownian-stm32f411.bin"), "abc");
    }
}
