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
    /// The drive that it offers.
    pub drive: Drive,
    /// Whether a model of the chip runs it.
    pub is_run: bool,
    /// The lines by which it speaks, the first is the one that is listened to.
    pub lines: &'static [&'static str],
}

/// A drive on which a UF2 file is dropped.
#[derive(Debug)]
pub struct Drive {
    /// The boot loader's name for itself in `INFO_UF2.TXT`.
    pub board_id: &'static str,
    /// The UF2 family of the chip.
    pub family: u32,
    /// What brings the drive.
    pub how: &'static str,
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
        drive: Drive { board_id: "RPI-RP2", family: 0xe48b_ff56, how: BOOTSEL },
        is_run: true,
        lines: &["uart", "usb"],
    },
    Board {
        name: "pico2",
        title: "Raspberry Pi Pico 2",
        target: "thumbv8m.main-none-eabihf",
        flash: 1024 * 1024,
        ram_budget: 40 * 1024,
        // Secure code for the Arm cores.
        drive: Drive { board_id: "RP2350", family: 0xe48b_ff59, how: BOOTSEL },
        is_run: false,
        lines: &[],
    },
];

/// The board of this name.
pub fn find(name: &str) -> Result<&'static Board> {
    BOARDS.iter().find(|board| board.name == name).with_context(|| {
        let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
        format!("no board '{name}': there are {}", names.join(", "))
    })
}
