//! The Pico 2's firmware: it is built and its boot block looked for; running it needs the board.

use crate::firmware::{self, cargo};
use anyhow::{ensure, Context, Result};
use object::{Object, ObjectSection};

/// First and last word of an image definition block, and the item "Arm, secure, RP2350, executable" (RP2350 data
/// sheet, section 5.9.5).
const START: u32 = 0xffff_ded3;
const EXECUTABLE: u32 = 0x1021_0142;
const END: u32 = 0xab12_3579;
/// The boot ROM searches so many bytes.
const SEARCHED: u64 = 4096;
const FLASH: u64 = 0x1000_0000;

/// Builds it and checks that the boot ROM would take it.
pub fn run() -> Result<()> {
    let target = "thumbv8m.main-none-eabihf";
    firmware::require_target(target)?;
    cargo("boards/pico2", &["build", "--quiet", "--release"], "building boards/pico2")?;
    let elf = firmware::target_dir().join(target).join("release/brownian-pico2");
    let bytes = std::fs::read(&elf).with_context(|| format!("cannot read {}", elf.display()))?;
    let file = object::File::parse(&*bytes).with_context(|| format!("{} is no ELF file", elf.display()))?;
    let block = file.section_by_name(".start_block").context("the Pico 2's firmware has no image definition block")?;
    let words: Vec<u32> =
        block.data()?.chunks_exact(4).map(|w| u32::from_le_bytes(w.try_into().expect("four bytes"))).collect();
    ensure!(
        (FLASH..FLASH + SEARCHED).contains(&block.address())
            && words.first() == Some(&START)
            && words.get(1) == Some(&EXECUTABLE)
            && words.contains(&END),
        "the Pico 2's boot ROM would not find an executable image: block {words:08x?} at {:#x}",
        block.address()
    );
    let sizes = firmware::sizes(&elf)?;
    println!("pico2: .text {}, .rodata {}, variables {}", sizes.text, sizes.rodata, sizes.statics);
    Ok(())
}
