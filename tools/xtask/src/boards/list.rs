//! The boards.

use anyhow::{Context, Result};
use brownian::host::boards::Board as Figures;
use brownian_board::demo::dither::{SIDE, SMALL};
use std::path::Path;

/// A board with firmware in a folder of `boards/`.
#[derive(Debug)]
pub struct Board {
    /// Name on the command line, and of its figures; mostly that of its folder, too.
    pub name: &'static str,
    /// Another folder, whose firmware has a display of its own, or a second core, by this Cargo feature.
    pub variant: Option<(&'static str, &'static str)>,
    /// The shipped model that its firmware has built in.
    pub built_in: &'static str,
    /// Rust target.
    pub target: &'static str,
    /// What is flashed.
    pub file: Form,
    /// The same in another form, for boot loaders that take no other.
    pub other_file: Option<Form>,
    /// The drive that it offers.
    pub drive: Option<Drive>,
    /// What shows its pictures.
    pub display: Display,
    /// What runs it; a board without is only built and measured.
    pub model: Option<Model>,
    /// The pictures of its display in the pages, `docs/pictures/NAME-display.png`: after power-up, and of a model over bits.
    pub pictures: &'static [&'static str],
    /// Whether a debug probe gets the same lines by RTT.
    pub rtt: bool,
    /// Whether it plays sounds.
    pub speaks: bool,
    /// The lines by which it speaks, the first is the one that is listened to.
    pub lines: &'static [&'static str],
}

impl Board {
    /// The folder of its firmware, in `boards/`.
    pub fn folder(&self) -> &'static str {
        self.variant.map_or(self.name, |(folder, _)| folder)
    }

    /// The Cargo feature that makes its firmware of the folder's; empty for none.
    pub fn feature(&self) -> &'static str {
        self.variant.map_or("", |(_, feature)| feature)
    }

    /// The command that builds and flashes its firmware with a debug probe, or with espflash.
    pub fn runner_command(&self) -> String {
        let feature = self.variant.map_or(String::new(), |(_, feature)| format!(" --features {feature}"));
        format!("`cargo run --release{feature}` in boards/{}", self.folder())
    }

    /// What it has, and what its firmware may take of it.
    ///
    /// # Panics
    /// The board has no figures, which a test excludes.
    pub fn figures(&self) -> &'static Figures {
        Figures::find(self.name).expect("every board has figures")
    }
}

/// The form of a file that is flashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UF2, of this family.
    Uf2(u32),
    /// Intel's hexadecimal lines.
    Hex,
    /// The flash's bytes, from this address on.
    Bin(u32),
    /// The ELF file, which espflash takes; it writes a model apart, to this place of the flash.
    Elf(u32),
}

impl Form {
    /// What files' names may end in.
    pub const EXTENSIONS: [&'static str; 4] = ["uf2", "hex", "bin", "elf"];

    /// What its files' names end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Uf2(_) => "uf2",
            Self::Hex => "hex",
            Self::Bin(_) => "bin",
            Self::Elf(_) => "elf",
        }
    }

    /// What takes the file where the board has no drive.
    pub fn taken_by(self) -> String {
        match self {
            Self::Uf2(_) | Self::Hex => "a probe or its boot loader takes the file".to_owned(),
            Self::Bin(start) => {
                format!("`dfu-util --alt 0 --dfuse-address {start:#010x}:leave --download FILE` takes it")
            }
            Self::Elf(_) => "`espflash flash` takes the file".to_owned(),
        }
    }

    /// The command that writes a model's file to its region, where the model is not part of what is flashed.
    pub fn model_command(self, model: &Path) -> Option<String> {
        match self {
            Self::Uf2(_) | Self::Hex | Self::Bin(_) => None,
            Self::Elf(address) => Some(format!("espflash write-bin {address:#x} {}", model.display())),
        }
    }
}

/// A drive on which a file is dropped.
#[derive(Debug)]
pub struct Drive {
    /// How it is known.
    pub sign: Sign,
    /// What brings the drive.
    pub how: &'static str,
}

/// How a drive is known.
#[derive(Debug, Clone, Copy)]
pub enum Sign {
    /// By the boot loader's name for itself in `INFO_UF2.TXT`.
    BoardId(&'static str),
    /// By its label, which is the last part of the place where it is mounted.
    Label(&'static str),
}

/// What shows pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Display {
    /// An SSD1306 that may be unplugged.
    Oled,
    /// Five rows of five LEDs, on the board, made of an image within so many dots.
    Leds(usize),
    /// An ST7789, which nobody can tell from none.
    Tft,
}

/// A model of a board's chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// `tools/boards`, on rp2040js.
    Node,
    /// `tools/chips`, on unicorn.
    Unicorn,
    /// `tools/chips`, in QEMU.
    Qemu,
}

const BOOTSEL: &str = "hold BOOTSEL while you plug it in";

const PICO2: Board = Board {
    name: "pico2",
    variant: None,
    built_in: "digits28",
    target: "thumbv8m.main-none-eabihf",
    // Secure code for the Arm cores.
    file: Form::Uf2(0xe48b_ff59),
    other_file: None,
    drive: Some(Drive { sign: Sign::BoardId("RP2350"), how: BOOTSEL }),
    display: Display::Oled,
    model: Some(Model::Unicorn),
    pictures: &["pico2"],
    rtt: true,
    speaks: true,
    lines: &["uart"],
};

/// Every board; a new one is an entry here.
pub const BOARDS: &[Board] = &[
    Board {
        name: "pico",
        variant: None,
        built_in: "digits28",
        target: "thumbv6m-none-eabi",
        file: Form::Uf2(0xe48b_ff56),
        other_file: None,
        drive: Some(Drive { sign: Sign::BoardId("RPI-RP2"), how: BOOTSEL }),
        display: Display::Oled,
        model: Some(Model::Node),
        pictures: &["pico"],
        rtt: true,
        speaks: false,
        lines: &["uart", "usb"],
    },
    PICO2,
    Board {
        name: "pico2-colour",
        variant: Some(("pico2", "colour")),
        built_in: "faces16",
        display: Display::Tft,
        pictures: &["pico2-colour"],
        ..PICO2
    },
    Board { name: "pico2-two-cores", variant: Some(("pico2", "two-cores")), pictures: &[], ..PICO2 },
    Board {
        name: "nrf52840-dk",
        variant: None,
        built_in: "digits28",
        target: "thumbv7em-none-eabihf",
        file: Form::Hex,
        other_file: None,
        drive: Some(Drive { sign: Sign::Label("JLINK"), how: "plug in the USB port beside the power switch" }),
        display: Display::Oled,
        model: Some(Model::Unicorn),
        pictures: &["nrf52840-dk", "bits"],
        rtt: true,
        speaks: true,
        lines: &["uart"],
    },
    Board {
        name: "stm32f411",
        variant: None,
        built_in: "digits28",
        target: "thumbv7em-none-eabihf",
        file: Form::Hex,
        other_file: Some(Form::Bin(0x0800_0000)),
        drive: None,
        display: Display::Oled,
        model: Some(Model::Unicorn),
        pictures: &["stm32f411"],
        rtt: true,
        speaks: false,
        lines: &["uart"],
    },
    Board {
        name: "microbit-v1",
        variant: None,
        built_in: "digits28-nano",
        target: "thumbv6m-none-eabi",
        file: Form::Hex,
        other_file: None,
        drive: Some(Drive { sign: Sign::Label("MICROBIT"), how: "plug it in" }),
        display: Display::Leds(SMALL),
        model: Some(Model::Qemu),
        pictures: &["microbit-v1"],
        rtt: false,
        speaks: false,
        lines: &["uart"],
    },
    Board {
        name: "microbit-v2",
        variant: None,
        built_in: "digits28",
        target: "thumbv7em-none-eabihf",
        file: Form::Hex,
        other_file: None,
        drive: Some(Drive { sign: Sign::Label("MICROBIT"), how: "plug it in" }),
        display: Display::Leds(SIDE),
        model: Some(Model::Unicorn),
        pictures: &["microbit-v2"],
        rtt: true,
        speaks: false,
        lines: &["uart"],
    },
    Board {
        name: "nucleo-h743",
        variant: None,
        built_in: "digits28",
        target: "thumbv7em-none-eabihf",
        file: Form::Hex,
        other_file: Some(Form::Bin(0x0800_0000)),
        drive: Some(Drive { sign: Sign::Label("NOD_H743ZI"), how: "plug in the USB port of the ST-LINK" }),
        display: Display::Oled,
        model: Some(Model::Unicorn),
        pictures: &["nucleo-h743"],
        rtt: true,
        speaks: false,
        lines: &["uart"],
    },
    Board {
        name: "esp32c3",
        variant: None,
        built_in: "digits28",
        target: "riscv32imc-unknown-none-elf",
        file: Form::Elf(0x20_0000),
        other_file: None,
        drive: None,
        display: Display::Oled,
        model: None,
        pictures: &[],
        rtt: false,
        speaks: false,
        lines: &["uart", "usb"],
    },
];

/// The folders of all boards' firmware, from the repository's root, each once.
pub fn folders() -> impl Iterator<Item = String> {
    BOARDS.iter().filter(|board| board.variant.is_none()).map(|board| format!("boards/{}", board.folder()))
}

/// Folders, and the Cargo features by which they are another board's firmware.
pub fn variants() -> impl Iterator<Item = (String, &'static str)> {
    BOARDS.iter().filter(|board| board.variant.is_some()).map(|b| (format!("boards/{}", b.folder()), b.feature()))
}

/// The board of this name.
pub fn find(name: &str) -> Result<&'static Board> {
    BOARDS.iter().find(|board| board.name == name).with_context(|| {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        format!("no board '{name}': there are {}", names.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both lists have the same boards, in one order.
    #[test]
    fn every_board_has_figures() {
        let names: Vec<_> = BOARDS.iter().map(|board| board.figures().name).collect();
        let figures: Vec<_> = brownian::host::boards::BOARDS.iter().map(|board| board.name).collect();
        assert_eq!(names, figures);
    }

    /// A board of another's folder has that one's target, and the folder has the feature.
    #[test]
    fn variants_are_of_boards() {
        for board in BOARDS.iter().filter(|board| board.variant.is_some()) {
            assert_eq!(find(board.folder()).unwrap().target, board.target);
            let manifest = crate::firmware::root().join("boards").join(board.folder()).join("Cargo.toml");
            let manifest = std::fs::read_to_string(manifest).unwrap();
            assert!(manifest.contains(&format!("\n{} = [", board.feature())), "{}", board.name);
        }
        assert_eq!(folders().filter(|folder| folder == "boards/pico2").count(), 1);
        let pico2 = |feature| ("boards/pico2".to_owned(), feature);
        assert_eq!(variants().collect::<Vec<_>>(), ["colour", "two-cores"].map(pico2));
    }

    /// Firmware whose lines a probe gets has the Cargo feature for it, switched on, and no other.
    #[test]
    fn rtt_is_switched_on() {
        for board in BOARDS {
            let manifest = crate::firmware::root().join("boards").join(board.folder()).join("Cargo.toml");
            let manifest = std::fs::read_to_string(manifest).unwrap();
            let lines = ["default = [\"rtt\"]", "rtt = [\"brownian-board/rtt\"]"];
            assert_eq!(lines.map(|line| manifest.lines().any(|found| found == line)), [board.rtt; 2], "{}", board.name);
        }
    }

    /// A model goes to its region by a command of its own where what is flashed has no place for it.
    #[test]
    fn espflash_writes_a_model_apart() {
        let command = |name: &str| find(name).unwrap().file.model_command(Path::new("mine.brn"));
        assert_eq!(command("esp32c3").unwrap(), "espflash write-bin 0x200000 mine.brn");
        assert_eq!([command("pico"), command("nucleo-h743")], [None, None]);
    }
}
