//! Drops a file on the drive that a board offers.

use super::file;
use super::list::{Board, Drive, Form, Sign};
use super::out;
use anyhow::{bail, ensure, Context, Result};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file by which boot loaders tell who they are.
const INFO: &str = "INFO_UF2.TXT";

/// The place of a board's drive: `folder`, or the one among those that are mounted. Where there is none the error says by
/// which commands the firmware, with this model, gets onto the board.
pub fn drive(board: &Board, model: Option<&Path>, folder: Option<&Path>) -> Result<PathBuf> {
    if let Some(folder) = folder {
        ensure!(folder.is_dir(), "{} is no folder: give the place where the drive is mounted", folder.display());
        check_id(board, folder)?;
        return Ok(folder.to_path_buf());
    }
    find(board, model, mounted()?)
}

/// Fails where a folder that the user gives is not the board's drive, as far as drives tell.
fn check_id(board: &Board, folder: &Path) -> Result<()> {
    let Some(Drive { sign: Sign::BoardId(expected), how }) = &board.drive else { return Ok(()) };
    let place = folder.display();
    let file = file::name(board);
    match board_id(folder) {
        Some(id) => {
            ensure!(
                id == *expected,
                "{place} is the drive of another board, {id}: give the place of a {}'s",
                board.figures().title
            )
        }
        None => bail!(
            "{place} is not the drive of a {}, it has no {INFO}: {how}; to write the file there give --out {} to \
             `cargo xtask uf2 {}`",
            board.figures().title,
            folder.join(file).display(),
            board.name
        ),
    }
    Ok(())
}

/// The boot loader's name for itself.
fn board_id(place: &Path) -> Option<String> {
    let info = std::fs::read_to_string(place.join(INFO)).ok()?;
    Some(info.lines().find_map(|line| line.strip_prefix("Board-ID:")).unwrap_or("").trim().to_owned())
}

/// Copies `bytes` to a board's drive; returns where they went.
pub fn copy(board: &Board, bytes: &[u8], drive: &Path) -> Result<PathBuf> {
    let path = drive.join(file::name(board));
    out::create(&path, |file| file.write_all(bytes).and_then(|()| file.sync_all()))?;
    Ok(path)
}

/// Where drives are mounted.
fn mounted() -> Result<Vec<PathBuf>> {
    let disks = sysinfo::Disks::new_with_refreshed_list().context("cannot list drives: give its place with --drive")?;
    Ok(disks.iter().map(|disk| disk.mount_point().to_path_buf()).collect())
}

/// The one of these places that is the board's drive.
fn find(board: &Board, model: Option<&Path>, places: Vec<PathBuf>) -> Result<PathBuf> {
    let Some(drive) = &board.drive else {
        bail!("the {} offers no drive: {}", board.figures().title, without_drive(board, model));
    };
    let how = drive.how;
    let mut found: Vec<PathBuf> = Vec::new();
    let mut others = String::new();
    for place in places {
        match drive.sign {
            Sign::Label(label) if place.file_name().is_some_and(|name| name == label) => found.push(place),
            Sign::Label(_) => {}
            Sign::BoardId(expected) => {
                let Some(id) = board_id(&place) else { continue };
                if id == expected {
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
            "no drive of a {} is mounted: {how}, or give its place with --drive, or drop the file of `{}` on it{}{others}",
            board.figures().title,
            file_command(board, model),
            with_probe(board, model, "needs none")
        ),
        [first, second, ..] => bail!(
            "several drives of a {} are mounted, such as {} and {}: choose one with --drive",
            board.figures().title,
            first.display(),
            second.display()
        ),
    }
}

/// The command that writes what is flashed to a file.
fn file_command(board: &Board, model: Option<&Path>) -> String {
    let model = model.map_or(String::new(), |model| format!(" --model {}", model.display()));
    format!("cargo xtask uf2 {}{model}", board.name)
}

/// What a probe does by itself; nothing with a model, since it leaves the model's region as it is.
fn with_probe(board: &Board, model: Option<&Path>, does: &str) -> String {
    match model {
        Some(_) => String::new(),
        None => format!("; with a probe {} {does}", board.runner_command()),
    }
}

/// The commands that flash a board without a drive.
fn without_drive(board: &Board, model: Option<&Path>) -> String {
    let write = file_command(board, model);
    if let Some(form @ Form::Bin(start)) = board.other_file {
        let name = file::name_in_form(board, form);
        let probe = with_probe(board, model, "does it all");
        return format!(
            "bring up its boot loader, then `{write} --out {name}` and `dfu-util --alt 0 --dfuse-address \
             {start:#010x}:leave --download {name}`{probe}"
        );
    }
    let name = file::name(board);
    match model.and_then(|model| board.file.model_command(model)) {
        Some(command) => format!("`{write}`, then `espflash flash --monitor {name}` and `{command}`"),
        None => format!("`{write}`, then `espflash flash --monitor {name}`; {} does both", board.runner_command()),
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
        let find = |board, places| super::find(board, None, places);
        assert_eq!(find(board, vec![plain.clone(), other.clone(), ours.clone()]).unwrap(), ours);
        let refusal = |folder| drive_of(folder).unwrap_err().to_string();
        assert!(
            refusal(&other).ends_with("is the drive of another board, RP2350: give the place of a Raspberry Pi Pico's")
        );
        assert!(refusal(&plain).contains("it has no INFO_UF2.TXT: hold BOOTSEL"), "{}", refusal(&plain));
        let none = find(board, vec![plain, other]).unwrap_err().to_string();
        assert!(none.contains("hold BOOTSEL") && none.contains("another board, RP2350"), "{none}");
        let two = find(board, vec![ours.clone(), twin]).unwrap_err().to_string();
        assert!(two.contains("--drive"), "{two}");
        let written = copy(board, b"a file", &drive_of(&ours).unwrap()).unwrap();
        assert_eq!(std::fs::read(written).unwrap(), b"a file");
        let labelled = plain_named("JLINK");
        assert_eq!(find(list::find("nrf52840-dk").unwrap(), vec![ours.clone(), labelled.clone()]).unwrap(), labelled);
        assert!(find(list::find("nrf52840-dk").unwrap(), vec![ours])
            .unwrap_err()
            .to_string()
            .contains("beside the power"));
        assert!(drive_of(Path::new("/nowhere")).unwrap_err().to_string().contains("is no folder"));
    }

    /// The place that a user gives.
    fn drive_of(folder: &Path) -> Result<PathBuf> {
        super::drive(list::find("pico").unwrap(), None, Some(folder))
    }

    /// Every board's error has the next commands, whole, as they are to be typed.
    #[test]
    fn a_board_without_its_drive_is_told_the_commands() {
        let plugged = "or give its place with --drive, or drop the file of `cargo xtask uf2";
        let folder =
            |name: &str, options: &str| format!("with a probe `cargo run --release{options}` in boards/{name}");
        let of_drive = |how: &str, name: &str, from: &str, options: &str| {
            vec![how.to_owned(), format!("{plugged} {name}` on it"), folder(from, options)]
        };
        let bootsel = "hold BOOTSEL while you plug it in";
        for (name, parts) in [
            ("pico", of_drive(bootsel, "pico", "pico", "")),
            ("pico2", of_drive(bootsel, "pico2", "pico2", "")),
            ("pico2-colour", of_drive(bootsel, "pico2-colour", "pico2", " --features colour")),
            ("pico2-two-cores", of_drive(bootsel, "pico2-two-cores", "pico2", " --features two-cores")),
            ("nrf52840-dk", of_drive("the USB port beside the power switch", "nrf52840-dk", "nrf52840-dk", "")),
            ("microbit-v1", of_drive("plug it in", "microbit-v1", "microbit-v1", "")),
            ("microbit-v2", of_drive("plug it in", "microbit-v2", "microbit-v2", "")),
            ("nucleo-h743", of_drive("the USB port of the ST-LINK", "nucleo-h743", "nucleo-h743", "")),
            (
                "stm32f411",
                vec![
                    "offers no drive: bring up its boot loader, then \
                     `cargo xtask uf2 stm32f411 --out brownian-stm32f411.bin` and \
                     `dfu-util --alt 0 --dfuse-address 0x08000000:leave --download brownian-stm32f411.bin`"
                        .to_owned(),
                    folder("stm32f411", ""),
                ],
            ),
            (
                "esp32c3",
                vec![
                    "offers no drive: `cargo xtask uf2 esp32c3`, then `espflash flash --monitor brownian-esp32c3.elf`; \
                     `cargo run --release` in boards/esp32c3 does both"
                        .to_owned(),
                ],
            ),
        ] {
            let error = find(list::find(name).unwrap(), None, Vec::new()).unwrap_err().to_string();
            for part in parts {
                assert!(error.contains(&part), "{name}: {error}\n{part}");
            }
            assert!(!error.contains("FILE"), "{error}");
        }
        let tested = 10;
        assert_eq!(list::BOARDS.len(), tested, "a board without its line here");
    }

    /// With a model the commands are those that bring it to its region.
    #[test]
    fn the_commands_have_the_model() {
        let error =
            |name| find(list::find(name).unwrap(), Some(Path::new("my.brn")), Vec::new()).unwrap_err().to_string();
        assert!(error("pico").contains("`cargo xtask uf2 pico --model my.brn` on it"), "{}", error("pico"));
        let stm32 = error("stm32f411");
        assert!(stm32.contains("`cargo xtask uf2 stm32f411 --model my.brn --out brownian-stm32f411.bin`"), "{stm32}");
        assert!(!stm32.contains("cargo run"), "{stm32}");
        let esp = error("esp32c3");
        assert!(esp.ends_with("brownian-esp32c3.elf` and `espflash write-bin 0x200000 my.brn`"), "{esp}");
    }
}
