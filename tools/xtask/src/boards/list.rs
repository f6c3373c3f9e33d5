//! The boards.

use anyhow::{Context, Result};

/// A board with firmware in a folder of `boards/`.
#[derive(Debug)]
pub struct Board {
    /// Folder, and name on the command line.
    pub name: &'static str,
    /// As its maker calls it.
    pub title: &'static str,
    /// Rust target.
    pub target: &'static str,
    /// How many bytes its flash has for the program.
    pub flash: u64,
    /// RAM that the demo may take with the built-in model: variables, the model's memory and stack.
    pub ram_budget: u64,
    /// What is flashed.
    pub file: Form,
    /// The drive that it offers.
    pub drive: Option<Drive>,
    /// What runs it.
    pub model: Model,
    /// The lines by which it speaks, the first is the one that is listened to.
    pub lines: &'static [&'static str],
}

/// The form of a file that is flashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// UF2, of this family.
    Uf2(u32),
    /// Intel's hexadecimal lines.
    Hex,
}

impl Form {
    /// What its files' names end in.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Uf2(_) => "uf2",
            Self::Hex => "hex",
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

/// A model of a board's chip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// `tools/boards`, on rp2040js.
    Node,
    /// `tools/chips`, on unicorn.
    Unicorn,
}

const BOOTSEL: &str = "hold BOOTSEL while you plug it in";

/// Every board; a new one is an entry here.
pub const BOARDS: &[Board] = &[
    Board {
        name: "pico",
        title: "Raspberry Pi Pico",
        target: "thumbv6m-none-eabi",
        flash: 1024 * 1024,
        ram_budget: 40 * 1024,
        file: Form::Uf2(0xe48b_ff56),
        drive: Some(Drive { sign: Sign::BoardId("RPI-RP2"), how: BOOTSEL }),
        model: Model::Node,
        lines: &["uart", "usb"],
    },
    Board {
        name: "pico2",
        title: "Raspberry Pi Pico 2",
        target: "thumbv8m.main-none-eabihf",
        flash: 1024 * 1024,
        ram_budget: 40 * 1024,
        // Secure code for the Arm cores.
        file: Form::Uf2(0xe48b_ff59),
        drive: Some(Drive { sign: Sign::BoardId("RP2350"), how: BOOTSEL }),
        model: Model::Unicorn,
        lines: &["uart"],
    },
    Board {
        name: "nrf52840-dk",
        title: "Nordic nRF52840-DK",
        target: "thumbv7em-none-eabihf",
        flash: 512 * 1024,
        ram_budget: 40 * 1024,
        file: Form::Hex,
        drive: Some(Drive { sign: Sign::Label("JLINK"), how: "plug in the USB port beside the power switch" }),
        model: Model::Unicorn,
        lines: &["uart"],
    },
    Board {
        name: "stm32f411",
        title: "STM32F411 (Black Pill)",
        target: "thumbv7em-none-eabihf",
        flash: 256 * 1024,
        ram_budget: 40 * 1024,
        file: Form::Hex,
        drive: None,
        model: Model::Unicorn,
        lines: &["uart"],
    },
];

/// The folders of all boards' firmware, from the repository's root.
pub fn folders() -> impl Iterator<Item = String> {
    BOARDS.iter().map(|board| format!("boards/{}", board.name))
}

/// The board of this name.
pub fn find(name: &str) -> Result<&'static Board> {
    BOARDS.iter().find(|board| board.name == name).with_context(|| {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        format!("no board '{name}': there are {}", names.join(", "))
    })
}
