//! Builds a board's firmware and measures it.

use super::image::Image;
use super::list::Board;
use crate::firmware::{self, target_dir};
use anyhow::{ensure, Result};
use brownian_board::demo::{memory, source};
use std::path::PathBuf;

/// Builds the firmware with some Cargo features and returns the path of a copy that later builds leave alone.
pub fn firmware(board: &Board, features: &str) -> Result<PathBuf> {
    firmware::require_target(board.target)?;
    let folder = format!("boards/{}", board.name);
    let args = ["build", "--quiet", "--release", "--features", features];
    firmware::cargo(&folder, &args, &format!("building {folder}"))?;
    let built = target_dir().join(board.target).join("release").join(format!("brownian-{}", board.name));
    let name =
        if features.is_empty() { format!("{}.elf", board.name) } else { format!("{}-{features}.elf", board.name) };
    let kept = target_dir().join("elf").join(name);
    std::fs::create_dir_all(kept.parent().expect("has a parent"))?;
    std::fs::copy(&built, &kept)?;
    Ok(kept)
}

/// What a firmware takes, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Program, constants and built-in model.
    pub flash: u64,
    /// Variables.
    pub variables: u64,
    /// What is left for a model beside variables and stack.
    pub room: u64,
}

impl Sizes {
    /// Of a firmware.
    pub fn of(image: &Image) -> Result<Self> {
        let [end, top] = [image.symbol("__sheap")?, image.symbol("_stack_start")?];
        let is_ram = end <= top && top - end < 1 << 24;
        ensure!(is_ram, "the free memory from {end:#x} to the stack at {top:#x} is not RAM: see the linker script");
        let flash = image.parts().iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let room = top.saturating_sub(end).saturating_sub(memory::STACK as u64 + 15);
        Ok(Self { flash, variables: image.variables(), room })
    }

    /// All RAM with a model of this file: variables, the model's memory, and the stack's whole place.
    pub fn ram(&self, model: &[u8]) -> u64 {
        self.variables + source::ram(model) as u64 + memory::STACK as u64
    }
}

/// Fails where the firmware exceeds its flash or its budget of RAM with `model` built in, and says by how much.
pub fn check(board: &Board, sizes: &Sizes, model: &[u8]) -> Result<()> {
    let over = |what: &str, used: u64, limit: u64| {
        ensure!(used <= limit, "{}: {what} {used} bytes, {} more than {limit}", board.name, used - limit);
        Ok(())
    };
    over("flash", sizes.flash, board.flash)?;
    over("RAM", sizes.ram(model), board.ram_budget)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list;

    /// What is too large is named, with the bytes that it is too large by.
    #[test]
    fn a_budget_that_is_exceeded_is_named() {
        let board = list::find("pico").unwrap();
        let model = std::fs::read(brownian_tests::shipped_model("digits28")).unwrap();
        let needed = source::ram(&model) as u64 + memory::STACK as u64;
        let fits = Sizes { flash: board.flash, variables: board.ram_budget - needed, room: 0 };
        check(board, &fits, &model).unwrap();
        let flash = check(board, &Sizes { flash: board.flash + 7, ..fits }, &model).unwrap_err().to_string();
        assert!(flash.contains("7 more than 1048576"), "{flash}");
        let ram = check(board, &Sizes { variables: fits.variables + 9, ..fits }, &model).unwrap_err().to_string();
        assert!(ram.contains("RAM 40969 bytes, 9 more than 40960"), "{ram}");
    }
}
