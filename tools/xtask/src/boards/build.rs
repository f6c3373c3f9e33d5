//! Builds a board's firmware and measures it.

use super::image::Image;
use super::list::Board;
use crate::firmware::{self, target_dir};
use anyhow::{ensure, Result};
use brownian_board::demo::source;
use std::path::PathBuf;

/// The share of the stack's place that no run may touch.
const STACK_MARGIN: u64 = 8;

/// Builds the firmware with some Cargo features and returns the path of a copy that later builds leave alone.
pub fn firmware(board: &Board, features: &str) -> Result<PathBuf> {
    firmware::require_target(board.target)?;
    let folder = format!("boards/{}", board.folder());
    let all = [board.feature(), features].join(" ");
    let args = ["build", "--quiet", "--release", "--features", &all];
    firmware::cargo(&folder, &args, &format!("building {folder}"))?;
    let built = target_dir().join(board.target).join("release").join(format!("brownian-{}", board.folder()));
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
    /// Variables, and code that lies in RAM.
    pub variables: u64,
    /// The stack's place.
    pub stack: u64,
    /// What is left for a model beside variables and stack.
    pub room: u64,
}

impl Sizes {
    /// Of a firmware.
    pub fn of(image: &Image) -> Result<Self> {
        let [end, top] = [image.symbol("__sheap")?, image.symbol("_stack_start")?];
        let is_ram = end <= top && top - end < 1 << 24;
        ensure!(is_ram, "the free memory from {end:#x} to the stack at {top:#x} is not RAM: see the linker script");
        // What esp-hal's linker script keeps for code in RAM, beside the variables; cortex-m-rt's keeps nothing.
        let code = image.symbol("_rwtext_len").unwrap_or(0);
        let flash = image.parts().iter().map(|(_, bytes)| bytes.len() as u64).sum();
        let stack = image.symbol("__stack_size")?;
        let room = top.saturating_sub(end).saturating_sub(stack + 15);
        Ok(Self { flash, variables: image.variables() + code, stack, room })
    }

    /// All RAM with a model of this file: variables, the model's memory, and the stack's whole place.
    pub fn ram(&self, model: &[u8]) -> u64 {
        self.variables + source::ram(model) as u64 + self.stack
    }
}

/// Fails where the firmware exceeds its flash or its budget of variables, and says by how much; and where its linker script
/// has less for a model than the board's figures promise.
pub fn check(board: &Board, image: &Image, sizes: &Sizes) -> Result<()> {
    let figures = board.figures();
    at_most(board, "flash", sizes.flash, figures.program.into())?;
    at_most(board, "variables", sizes.variables, figures.variables.into())?;
    let region = image.symbol("__model_end")? - image.symbol("__model_start")?;
    let promised = [figures.flash, figures.room(), figures.stack].map(u64::from);
    ensure!(
        region == promised[0] && sizes.room >= promised[1] && sizes.stack == promised[2],
        "{}: a model may have {region} bytes of flash and {} of RAM, the stack {}; the board's figures say {promised:?}",
        board.name,
        sizes.room,
        sizes.stack
    );
    Ok(())
}

/// Fails where a run has needed more of the stack's place than all but a margin for what it has not met.
pub fn check_stack(board: &Board, used: u64) -> Result<()> {
    let place = u64::from(board.figures().stack);
    at_most(board, "stack", used, place - place / STACK_MARGIN)
}

fn at_most(board: &Board, what: &str, used: u64, limit: u64) -> Result<()> {
    ensure!(used <= limit, "{}: {what} {used} bytes, {} more than {limit}", board.name, used - limit);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boards::list;
    use brownian::host::OwnedModel;
    use brownian_board::demo::memory;

    /// What is too large is named, with the bytes that it is too large by.
    #[test]
    fn a_budget_that_is_exceeded_is_named() {
        let board = list::find("pico").unwrap();
        let image = Image::with_region(1 << 20);
        let fits = Sizes { flash: 1 << 20, variables: 8 * 1024, stack: 8192, room: board.figures().room().into() };
        let refused = |image: &Image, sizes: Sizes| check(board, image, &sizes).unwrap_err().to_string();
        check(board, &image, &fits).unwrap();
        assert!(refused(&image, Sizes { flash: fits.flash + 7, ..fits }).contains("flash 1048583 bytes, 7 more"));
        assert!(refused(&image, Sizes { variables: 8194, ..fits }).contains("variables 8194 bytes, 2 more than 8192"));
        assert!(refused(&image, Sizes { room: fits.room - 1, ..fits }).contains("figures say"));
        assert!(refused(&image, Sizes { stack: 4096, ..fits }).contains("the stack 4096; the board's figures say"));
        assert!(refused(&Image::with_region(1 << 19), fits).contains("may have 524288 bytes of flash"));
        check_stack(board, 7168).unwrap();
        assert!(check_stack(board, 7169).unwrap_err().to_string().contains("stack 7169 bytes, 1 more than 7168"));
    }

    /// The figures reckon a model's RAM as the demo does.
    #[test]
    fn figures_and_demo_agree_on_a_models_memory() {
        for name in ["digits28", "digits28-nano"] {
            let model = OwnedModel::read(brownian_tests::shipped_model(name)).unwrap();
            let fit = list::find("pico").unwrap().figures().fit(&model.model(), model.bytes().len());
            assert_eq!(fit.ram[0], source::ram(model.bytes()));
        }
        let pico = list::find("pico").unwrap().figures();
        assert_eq!(264 * 1024 - 8 * 1024 - pico.room(), pico.stack + 15);
        assert_eq!(pico.stack as usize, memory::STACK);
    }
}
