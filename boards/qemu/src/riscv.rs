//! The RISC-V machine: `minstret` counts instructions exactly.

pub use riscv_rt::entry;

use crate::{exit, println, FAULTED};
use brownian_board::counter::Counter;
use core::arch::asm;
use riscv::register::{mcause, mepc};

const BITS: u32 = 32;

pub fn start_counter() {}

pub fn counter() -> Counter {
    Counter::up(BITS, read_counter())
}

#[inline(always)]
pub fn read_counter() -> u32 {
    let count: u32;
    // SAFETY: reads a counter.
    unsafe { asm!("csrr {}, minstret", out(reg) count, options(nomem, nostack)) };
    count
}

/// Lowest address and end of the stack.
pub fn stack_bounds() -> (usize, usize) {
    extern "C" {
        static __estack: u32;
        static _stack_start: u32;
    }
    (&raw const __estack as usize, &raw const _stack_start as usize)
}

/// Executes a known number of instructions, and returns it.
///
/// A function of its own: the compiler does not see how long the repeated instructions are, and would place
/// constants too far away.
#[inline(never)]
pub fn known_run() -> u64 {
    const ROUNDS: u32 = 10_000;
    // SAFETY: changes one register.
    unsafe {
        asm!(
            "2:", ".rept 98", "nop", ".endr", "addi {n}, {n}, -1", "bnez {n}, 2b",
            n = inout(reg) ROUNDS => _, options(nomem, nostack),
        );
    }
    u64::from(ROUNDS) * 100
}

/// Executes an instruction that does not exist.
pub fn fault() {
    // SAFETY: ends in the fault handler, which does not return.
    unsafe { asm!("unimp", options(nomem, nostack)) };
}

#[no_mangle]
extern "C" fn ExceptionHandler(_frame: &riscv_rt::TrapFrame) -> ! {
    println!("fault {:#x} at pc {:#010x}", mcause::read().bits(), mepc::read());
    exit(FAULTED)
}

#[no_mangle]
extern "C" fn DefaultHandler() -> ! {
    println!("unexpected interrupt {:#x}", mcause::read().bits());
    exit(FAULTED)
}
