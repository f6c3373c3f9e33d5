//! Drops a file on the drive that a board offers.

use super::file;
use super::list::{Board, Sign};
use anyhow::{bail, ensure, Context, Result};
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file by which boot loaders tell who they are.
const INFO: &str = "INFO_UF2.TXT";

/// Copies `bytes` to `folder`, or to the board's drive among those that are mounted; returns where it went.
pub fn copy(board: &Board, bytes: &[u8], folder: Option<&Path>) -> Result<PathBuf> {
    let drive = match folder {
        Some(folder) => {
            ensure!(folder.is_dir(), "{} is no folder: give the place where the drive is mounted", folder.display());
            folder.to_path_buf()
        }
        None => find(board, mounted()?)?,
    };
    let path = drive.join(file::name(board));
    let write = || {
        let mut file = File::create(&path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

/// Where drives are mounted.
fn mounted() -> Result<Vec<PathBuf>> {
    let disks = sysinfo::Disks::new_with_refreshed_list().context("cannot list drives: give its place with --drive")?;
    Ok(disks.iter().map(|disk| disk.mount_point().to_path_buf()).collect())
}

/// The one of these places that is the board's drive.
fn find(board: &Board, places: Vec<PathBuf>) -> Result<PathBuf> {
    let Some(drive) = &board.drive else {
        bail!(
            "the {} offers no drive: {}, which `cargo xtask uf2 {}` writes; `cargo run --release` in boards/{} does both",
            board.figures().title,
            board.file.taken_by(),
            board.name,
            board.folder()
        );
    };
    let how = drive.how;
    let mut found: Vec<PathBuf> = Vec::new();
    let mut others = String::new();
    for place in places {
        match drive.sign {
            Sign::Label(label) if place.file_name().is_some_and(|name| name == label) => found.push(place),
            Sign::Label(_) => {}
            Sign::BoardId(board_id) => {
                let Ok(info) = std::fs::read_to_string(place.join(INFO)) else { continue };
                let id = info.lines().find_map(|line| line.strip_prefix("Board-ID:")).unwrap_or("").trim();
                if id == board_id {
                    found.push(place);
                } else {
                    others += &format!("; {} is the drive of another board, {id}", place.display());
                }
            }
        }
    }
    match &found[..] {
        [drive] => Ok(drive.clone()),
        [] => bail!(
            "no drive of a {} is mounted: {how}, or give its place with --drive, or drop the file of `cargo xtask uf2 {}` \
             on it{others}",
            board.figures().title,
            board.name
        ),
        [first, second, ..] => bail!(
            "several drives of a {} are mounted, such as {} and {}: choose one with --drive",
            board.figures().title,
            first.display(),
            second.display()
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list;

    /// A folder that looks like a drive.
    fn drive(name: &str, info: Option<&str>) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("brownian-drive-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        if let Some(id) = info {
            let text = format!("UF2 Bootloader v3.0\nModel: Raspberry Pi RP2\nBoard-ID: {id}\n");
            std::fs::write(folder.join(INFO), text).unwrap();
        }
        folder
    }

    /// A folder of this name.
    fn plain_named(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("brownian-drives-{}", std::process::id())).join(name);
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// The drive is known by what its boot loader says, among others; none, another board's and two are errors.
    #[test]
    fn the_drive_is_known_by_its_boot_loader() {
        let board = list::find("pico").unwrap();
        let [ours, twin, other, plain] = [
            drive("ours", Some("RPI-RP2")),
            drive("twin", Some("RPI-RP2")),
            drive("other", Some("RP2350")),
            drive("plain", None),
        ];
        assert_eq!(find(board, vec![plain.clone(), other.clone(), ours.clone()]).unwrap(), ours);
        let none = find(board, vec![plain, other]).unwrap_err().to_string();
        assert!(none.contains("hold BOOTSEL") && none.contains("another board, RP2350"), "{none}");
        let two = find(board, vec![ours.clone(), twin]).unwrap_err().to_string();
        assert!(two.contains("--drive"), "{two}");
        let written = copy(board, b"a file", Some(&ours)).unwrap();
        assert_eq!(std::fs::read(written).unwrap(), b"a file");
        let labelled = plain_named("JLINK");
        assert_eq!(find(list::find("nrf52840-dk").unwrap(), vec![ours.clone(), labelled.clone()]).unwrap(), labelled);
        assert!(find(list::find("nrf52840-dk").unwrap(), vec![ours])
            .unwrap_err()
            .to_string()
            .contains("beside the power"));
        assert!(copy(board, b"", Some(Path::new("/nowhere"))).unwrap_err().to_string().contains("is no folder"));
    }
}
