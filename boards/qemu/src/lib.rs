#![no_std]
#![forbid(unsafe_op_in_unsafe_fn)]
//! Support for the emulated machines: counting instructions, measuring the stack, talking to the host.
//!
//! QEMU runs with `-icount shift=0`, where an instruction takes a virtual nanosecond; [`Meter::ticks`]
//! counts those on SysTick (Arm) or retired instructions (RISC-V).

#[cfg(target_arch = "arm")]
#[path = "cortex_m.rs"]
mod core_;
#[cfg(target_arch = "riscv32")]
#[path = "riscv.rs"]
mod core_;

pub use core_::{entry, fault};
pub use semihosting::{print, println};

use brownian_board::{counter::Counter, report::Line, stack};
use core::panic::PanicInfo;

/// Exit status of a firmware that was asked for what it cannot do.
pub const REFUSED: i32 = 1;
/// Exit status of a firmware that panicked.
pub const PANICKED: i32 = 101;
/// Exit status of a firmware that faulted.
pub const FAULTED: i32 = 102;

/// Bytes below the present frame that painting spares, for its own frames.
const MARGIN: usize = 128;

/// Counts ticks and watches the stack.
pub struct Meter {
    counter: Counter,
}

impl Meter {
    /// Starts the counter and paints the free stack. Call it first, and once.
    #[inline(never)]
    pub fn start() -> Self {
        let here = 0u32;
        let (lowest, _) = core_::stack_bounds();
        let top = (&raw const here as usize - MARGIN) & !3;
        // SAFETY: from the stack's lowest address to a margin below this frame nothing is in use, and
        // interrupts, which could push there, are off.
        unsafe { stack::paint(lowest as *mut u32..top as *mut u32) };
        core_::start_counter();
        Self { counter: core_::counter() }
    }

    /// Ticks since the start. Must be called at least once a period of the counter (2^24 ticks of SysTick).
    #[inline(never)]
    pub fn ticks(&mut self) -> u64 {
        self.counter.read(core_::read_counter())
    }

    /// The most bytes of stack that were in use since the start. A stack that came to its end, beyond which the statics lie, ends the
    /// firmware.
    pub fn stack_used(&self) -> usize {
        let (lowest, top) = core_::stack_bounds();
        // SAFETY: the stack's whole range.
        let untouched = unsafe { stack::untouched(lowest as *const u32..top as *const u32) };
        if untouched == 0 {
            refuse("the stack has no byte left: it may have grown over the statics");
        }
        top - lowest - untouched
    }

    /// Measures a known run of instructions, so that the host can check what a tick is worth.
    pub fn calibrate(&mut self) -> Line {
        let start = self.ticks();
        let instructions = core_::known_run();
        Line::Calibration { instructions, ticks: self.ticks() - start }
    }
}

/// The firmware's command line.
pub struct Arguments(Option<semihosting::experimental::env::Args<128>>);

impl Arguments {
    /// Asks the host; 127 bytes at most.
    pub fn get() -> Self {
        Self(semihosting::experimental::env::args().ok())
    }

    /// Its words, after the firmware's name.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.iter().flatten().flatten().skip(1)
    }
}

/// The bytes at the end of the flash where the emulator's loader may have put an image, a mask and a snapshot.
pub fn inputs() -> &'static [u8] {
    extern "C" {
        static _inputs: u8;
        static _inputs_end: u8;
    }
    let (start, end) = (&raw const _inputs, &raw const _inputs_end);
    // SAFETY: the memory layout sets the bytes between both apart; they can be read, and nothing writes them.
    unsafe { core::slice::from_raw_parts(start, end as usize - start as usize) }
}

/// Prints why the firmware cannot go on, and ends with [`REFUSED`].
pub fn refuse(reason: impl core::fmt::Display) -> ! {
    println!("{reason}");
    exit(REFUSED)
}

/// Ends the emulation; the host sees `status`.
pub fn exit(status: i32) -> ! {
    semihosting::process::exit(status)
}

/// What a panic handler should do: say where, and end with [`PANICKED`].
pub fn panicked(info: &PanicInfo) -> ! {
    println!("{info}");
    exit(PANICKED)
}
