//! Where a file that is flashed is written to.

use super::list::{Board, Form};
use anyhow::{ensure, Context, Result};
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// The form that a file's name asks for: the board's own, or its other one.
///
/// Fails where the name ends like that of a form that the board does not take, or cannot be a file's.
pub fn form(board: &Board, path: &Path) -> Result<Form> {
    ensure!(!path.is_dir(), "{} is a folder: give the name of a file with --out", path.display());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "cannot write {}: there is no folder {}", path.display(), folder.display());
    let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
    let forms = || [Some(board.file), board.other_file].into_iter().flatten();
    let asked = forms().find(|form| form.extension() == ending);
    let endings: Vec<String> = forms().map(|form| format!(".{}", form.extension())).collect();
    ensure!(
        asked.is_some() || !Form::EXTENSIONS.contains(&ending),
        "the {} does not take a .{ending}: let the file's name end in {}",
        board.figures().title,
        endings.join(" or ")
    );
    Ok(asked.unwrap_or(board.file))
}

/// Makes a file and lets `write` fill it; where that fails, no half of it is left.
pub fn create(path: &Path, write: impl FnOnce(&mut File) -> io::Result<()>) -> Result<()> {
    let say = || format!("cannot write {}", path.display());
    let mut file = File::create(path).with_context(say)?;
    let written = write(&mut file);
    drop(file);
    // Not where the path is a device, or a link.
    if written.is_err() && fs::symlink_metadata(path).is_ok_and(|entry| entry.is_file()) {
        _ = fs::remove_file(path);
    }
    written.with_context(say)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list::{self, BOARDS};
    use std::io::Write;

    fn of(board: &str, path: &str) -> Result<&'static str, String> {
        form(list::find(board).unwrap(), Path::new(path)).map(Form::extension).map_err(|error| error.to_string())
    }

    /// A name's end chooses among the board's forms; another end than any form's is the user's affair.
    #[test]
    fn the_name_asks_for_a_form() {
        for (board, path, expected) in [
            ("pico", "x.uf2", "uf2"),
            ("pico", "firmware", "uf2"),
            ("pico", "pico.new", "uf2"),
            ("stm32f411", "x.bin", "bin"),
            ("stm32f411", "x.hex", "hex"),
            ("esp32c3", "x.elf", "elf"),
        ] {
            assert_eq!(of(board, path), Ok(expected), "{board} {path}");
        }
    }

    /// A form that the board does not take is refused, as are a folder and a file in none; the error says what to do.
    #[test]
    fn what_cannot_be_written_is_refused() {
        for (board, path, words) in [
            ("pico", "x.bin", "Raspberry Pi Pico does not take a .bin: let the file's name end in .uf2"),
            ("stm32f411", "x.uf2", "let the file's name end in .hex or .bin"),
            ("pico", ".", "give the name of a file with --out"),
            ("pico", "/nowhere/x.uf2", "cannot write /nowhere/x.uf2: there is no folder /nowhere"),
        ] {
            let error = of(board, path).unwrap_err();
            assert!(error.contains(words), "{board} {path}: {error}");
        }
    }

    /// A file is whole or not there.
    #[test]
    fn no_half_of_a_file_is_left() {
        let path = std::env::temp_dir().join(format!("brownian-half-{}", std::process::id()));
        create(&path, |file| file.write_all(b"whole")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"whole");
        let full = |file: &mut File| file.write_all(b"ha").and(Err(io::ErrorKind::StorageFull.into()));
        let error = create(&path, full).unwrap_err().to_string();
        assert!(error.starts_with("cannot write ") && !path.exists(), "{error}");
    }

    /// Every board's ends are known.
    #[test]
    fn every_form_has_its_end() {
        let forms = BOARDS.iter().flat_map(|board| [Some(board.file), board.other_file]).flatten();
        assert!(forms.map(Form::extension).all(|ending| Form::EXTENSIONS.contains(&ending)));
    }
}
