//! Boards with firmware in this repository: what each has for a model, and what an evaluation takes there.

use crate::ops::Op;
use crate::Model;
use std::string::String;
use std::vec::Vec;
use std::{format, string::ToString};

/// Bytes of RAM that the demo keeps for the stack on most boards.
const STACK: u32 = 8 * 1024;
/// The same on boards that speak, so that a model of sound of half width has 64 KB with all that is beside it.
const SPEAKING_STACK: u32 = 6 * 1024;
/// The most that is lost so that a model's memory begins at a multiple of 16.
const ALIGNMENT: u32 = 15;
/// The share of one core's time that two take, by the table of `docs/reference/performance.md` ("Two cores").
const TWO_CORES: f64 = 0.52;

/// A board, with the figures by which a model fits it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Board {
    /// Its name on command lines; mostly that of its folder in `boards/`, too.
    pub name: &'static str,
    /// As its maker calls it.
    pub title: &'static str,
    /// Its core.
    pub core: Core,
    /// How many of them compute.
    pub cores: u32,
    /// Millions of cycles a second, as the firmware sets the clock.
    pub mhz: u32,
    /// Bytes of flash for the firmware, the built-in model among them.
    pub program: u32,
    /// Bytes of flash for a model.
    pub flash: u32,
    /// Bytes of RAM.
    pub ram: u32,
    /// The most bytes of it that the firmware's variables may take, and code that lies in RAM.
    pub variables: u32,
    /// Bytes of it that the demo keeps for the stack.
    pub stack: u32,
}

/// Cycles on a core, fitted to the table of `docs/reference/performance.md` ("From instructions to cycles"), which counts
/// by Arm's manuals DDI 0484C and DDI 0439. Flash answers at once; most layers are met within a fifth.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Core {
    /// Its name.
    pub name: &'static str,
    /// Of a product of a convolution or a linear layer.
    product: f64,
    /// Of each of their outputs.
    output: f64,
    /// Of a product of a depthwise convolution.
    depthwise: f64,
    /// Of an element of any other op.
    element: f64,
}

const M0_PLUS: Core = Core { name: "Cortex-M0+", product: 4.12, output: 80.6, depthwise: 20.6, element: 32.3 };
/// It takes no more cycles than this at a product; its branches take one more each.
const M0: Core = Core { name: "Cortex-M0", ..M0_PLUS };
const M4: Core = Core { name: "Cortex-M4", product: 1.72, output: 29.9, depthwise: 4.7, element: 9.5 };
const M33: Core = Core { name: "Cortex-M33", product: 1.71, output: 27.6, depthwise: 4.0, element: 8.3 };
/// Arm publishes no costs of this one, which may start two instructions at once: those of the M4 are the most.
const M7: Core = Core { name: "Cortex-M7", ..M4 };
/// Instructions of the same page, each taken for a cycle: nobody publishes the core's costs.
const RV32: Core = Core { name: "RV32IMC", product: 2.56, output: 18.7, depthwise: 6.6, element: 16.0 };

const PICO2: Board = Board {
    name: "pico2",
    title: "Raspberry Pi Pico 2",
    core: M33,
    cores: 1,
    mhz: 150,
    program: 1024 * 1024,
    flash: 3 * 1024 * 1024,
    ram: 512 * 1024,
    variables: 8 * 1024,
    stack: SPEAKING_STACK,
};

/// Every board; a new one is an entry here.
pub const BOARDS: &[Board] = &[
    Board {
        name: "pico",
        title: "Raspberry Pi Pico",
        core: M0_PLUS,
        cores: 1,
        mhz: 125,
        program: 1024 * 1024,
        flash: 1024 * 1024,
        ram: 264 * 1024,
        variables: 8 * 1024,
        stack: STACK,
    },
    PICO2,
    // The same board with another firmware, which keeps an image in colour.
    Board { name: "pico2-colour", title: "Raspberry Pi Pico 2 with a colour display", variables: 15 * 1024, ..PICO2 },
    // The same board with another firmware, whose second core has a stack of 3 KB.
    Board {
        name: "pico2-two-cores",
        title: "Raspberry Pi Pico 2 with both cores",
        cores: 2,
        variables: 11 * 1024,
        ..PICO2
    },
    Board {
        name: "nrf52840-dk",
        title: "Nordic nRF52840-DK",
        core: M4,
        cores: 1,
        mhz: 64,
        program: 512 * 1024,
        flash: 512 * 1024,
        ram: 256 * 1024,
        variables: 6 * 1024,
        stack: SPEAKING_STACK,
    },
    Board {
        name: "stm32f411",
        title: "STM32F411 (Black Pill)",
        core: M4,
        cores: 1,
        mhz: 100,
        program: 256 * 1024,
        flash: 256 * 1024,
        ram: 128 * 1024,
        variables: 6 * 1024,
        stack: STACK,
    },
    Board {
        name: "microbit-v1",
        title: "BBC micro:bit v1",
        core: M0,
        cores: 1,
        mhz: 16,
        program: 160 * 1024,
        flash: 96 * 1024,
        ram: 16 * 1024,
        variables: 2000,
        stack: 3200,
    },
    Board {
        name: "microbit-v2",
        title: "BBC micro:bit v2",
        core: M4,
        cores: 1,
        mhz: 64,
        program: 256 * 1024,
        flash: 256 * 1024,
        ram: 128 * 1024,
        variables: 6 * 1024,
        stack: STACK,
    },
    Board {
        name: "nucleo-h743",
        title: "ST Nucleo-H743ZI",
        core: M7,
        cores: 1,
        mhz: 400,
        program: 1024 * 1024,
        flash: 1024 * 1024,
        ram: 512 * 1024,
        variables: 6 * 1024,
        stack: STACK,
    },
    Board {
        name: "esp32c3",
        title: "Espressif ESP32-C3",
        core: RV32,
        cores: 1,
        mhz: 160,
        program: 1984 * 1024,
        flash: 2 * 1024 * 1024,
        ram: 313 * 1024,
        variables: 15 * 1024,
        stack: STACK,
    },
];

impl Board {
    /// The board of this name.
    ///
    /// # Errors
    /// There is none: a line that lists the names.
    ///
    /// # Examples
    /// ```
    /// use brownian::host::boards::Board;
    /// assert_eq!(Board::find("pico")?.mhz, 125);
    /// assert!(Board::find("pica").unwrap_err().contains("there are pico, pico2"));
    /// # Ok::<(), String>(())
    /// ```
    pub fn find(name: &str) -> Result<&'static Self, String> {
        BOARDS.iter().find(|board| board.name == name).ok_or_else(|| {
            let names: Vec<_> = BOARDS.iter().map(|board| board.name).collect();
            format!("no board '{name}': there are {}", names.join(", "))
        })
    }

    /// Bytes of RAM that a model may have for its arena and state.
    pub fn room(&self) -> u32 {
        self.ram - self.variables - self.stack - ALIGNMENT
    }

    /// What a model of `file` bytes finds here.
    pub fn fit(&self, model: &Model, file: usize) -> Fit {
        // The demo keeps the state behind an arena at a multiple of 16, and a second core's scratch behind both.
        let ram = model.arena_len().next_multiple_of(16) + model.state_len() * model.state_element_len();
        let (scratch, share) = if self.cores > 1 { (model.second_scratch_len(), TWO_CORES) } else { (0, 1.0) };
        Fit {
            flash: [file, self.flash as usize],
            ram: [ram + scratch, self.room() as usize],
            follows: model.local_shape().is_some(),
            seconds: share * self.core.cycles(model) / (1e6 * f64::from(self.mhz)),
        }
    }
}

impl Core {
    /// Estimated cycles of an evaluation of the network. Winograd's convolutions are taken for direct ones.
    pub fn cycles(&self, model: &Model) -> f64 {
        let cycles = |op: Op| match (op.macs() as f64, op.output().values() as f64) {
            (0.0, elements) => self.element * elements,
            (products, _) if matches!(op, Op::Depthwise(_)) => self.depthwise * products,
            (products, outputs) => self.product * products + self.output * outputs,
        };
        model.ops().skip(model.prelude().into()).map(cycles).sum()
    }
}

/// How a model fits a board.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Fit {
    /// Bytes of flash that it needs, and those that there are.
    pub flash: [usize; 2],
    /// Bytes of RAM that it needs for arena and state, and those that there are.
    pub ram: [usize; 2],
    /// Whether it follows a local condition, which the boards' firmware does not give.
    pub follows: bool,
    /// Estimated seconds of an evaluation.
    pub seconds: f64,
}

impl Fit {
    /// By how many bytes it is too large for flash and RAM, or what else keeps it off, in words; `None` where it fits.
    pub fn excess(&self) -> Option<String> {
        let over = |what: &str, [needed, found]: [usize; 2]| {
            (needed > found).then(|| format!("{} bytes of {what} too many", needed - found))
        };
        let follows = self.follows.then(|| "no way for its firmware to give it a local condition".into());
        let words: Vec<String> =
            [over("flash", self.flash), over("RAM", self.ram), follows].into_iter().flatten().collect();
        (!words.is_empty()).then(|| words.join(" and ").to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::OwnedModel;
    use std::path::Path;

    fn shipped(name: &str) -> OwnedModel {
        let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
        OwnedModel::read(models.join(name).with_extension("brn")).unwrap()
    }

    /// rp2040js, which counts an RP2040's cycles, takes 373 ms for a step of digits28, 25 of them for the display; by counted
    /// instructions digits28-nano takes 0.28 of an evaluation of digits28.
    #[test]
    fn estimates_are_near_what_emulators_count() {
        let pico = Board::find("pico").unwrap();
        let digits = shipped("digits28");
        let fit = pico.fit(&digits.model(), digits.bytes().len());
        assert!((0.28..0.39).contains(&fit.seconds), "{fit:?}");
        assert_eq!((fit.flash, fit.ram[0], fit.excess()), ([digits.bytes().len(), 1 << 20], 14336 + 4704, None));
        let nano = shipped("digits28-nano");
        let faster = pico.fit(&nano.model(), nano.bytes().len()).seconds / fit.seconds;
        assert!((0.25..0.40).contains(&faster), "{faster}");
    }

    /// Half the time, for the scratch of the second.
    #[test]
    fn two_cores_take_half_the_time_of_one() {
        let digits = shipped("digits28");
        let fit = |name| Board::find(name).unwrap().fit(&digits.model(), digits.bytes().len());
        let (one, two) = (fit("pico2"), fit("pico2-two-cores"));
        assert!((0.5..0.55).contains(&(two.seconds / one.seconds)), "{two:?}");
        assert_eq!(two.ram[0], one.ram[0] + 1792);
    }

    /// One byte too many of each is said.
    #[test]
    fn what_does_not_fit_is_said_by_how_much() {
        let digits = shipped("digits28");
        let fit = |flash, ram| {
            let board = Board { flash, ram, ..Board::find("pico").unwrap().clone() };
            board.fit(&digits.model(), digits.bytes().len()).excess()
        };
        let (flash, ram) = (digits.bytes().len() as u32, 8 * 1024 + STACK + ALIGNMENT + 14336 + 4704);
        assert_eq!(fit(flash, ram), None);
        assert_eq!(fit(flash - 1, ram).unwrap(), "1 bytes of flash too many");
        assert_eq!(fit(flash - 2, ram - 3).unwrap(), "2 bytes of flash too many and 3 bytes of RAM too many");
    }

    /// What 16 KB have room for, and what they have not.
    #[test]
    fn the_smallest_board_takes_the_smallest_model() {
        let microbit = Board::find("microbit-v1").unwrap();
        let fit = |model: OwnedModel| microbit.fit(&model.model(), model.bytes().len());
        let nano = fit(shipped("digits28-nano"));
        assert_eq!((nano.ram[0], nano.excess()), (8032 + 3136, None));
        // QEMU counts 67 million instructions of 64 ns for five steps, which are 0.86 s a step.
        assert!((0.5..1.0).contains(&nano.seconds), "{nano:?}");
        let excess = fit(shipped("digits28")).excess().unwrap();
        assert!(excess.contains("of flash") && excess.contains("of RAM too many"), "{excess}");
    }

    /// What the card promises of the Pico: 40 KB with digits28, USB and all. An ESP32-C3 keeps its interrupts' code in RAM, a
    /// colour display's image is kept there, and so is a second core's stack.
    #[test]
    fn budgets_keep_the_demo_small() {
        for board in BOARDS {
            let more = match board.name {
                "esp32c3" => 6 * 1024,
                "pico2-colour" => 8 * 1024,
                "pico2-two-cores" => 3 * 1024,
                _ => 0,
            };
            assert!(board.variables - more + board.stack + 14336 + 4704 <= 40 * 1024, "{}", board.name);
        }
    }
}
