//! Cortex-M machines: SysTick on the core clock. cortex-m-rt turns the FPU (and with it MVE) on before `main`.

pub use cortex_m_rt::entry;

use crate::{exit, println, FAULTED};
use brownian_board::counter::Counter;
use core::arch::asm;
use cortex_m::peripheral::SYST;
use cortex_m_rt::{exception, ExceptionFrame};

const BITS: u32 = 24;

pub fn start_counter() {
    // SAFETY: nothing else in the firmware touches SysTick.
    let systick = unsafe { &*SYST::PTR };
    // SAFETY: reload, then current value, then core clock and enable: the order the architecture asks for.
    unsafe {
        systick.rvr.write((1 << BITS) - 1);
        systick.cvr.write(0);
        systick.csr.write(0b101);
    }
    // The counter reads 0 until its first tick.
    while SYST::get_current() == 0 {}
}

pub fn counter() -> Counter {
    Counter::down(BITS, SYST::get_current())
}

#[inline(always)]
pub fn read_counter() -> u32 {
    SYST::get_current()
}

/// Lowest address and end of the stack.
pub fn stack_bounds() -> (usize, usize) {
    extern "C" {
        static _stack_end: u32;
        static _stack_start: u32;
    }
    (&raw const _stack_end as usize, &raw const _stack_start as usize)
}

/// Executes a known number of instructions, and returns it.
///
/// A function of its own: the compiler does not see how long the repeated instructions are, and would place
/// constants too far away.
#[inline(never)]
pub fn known_run() -> u64 {
    const ROUNDS: u32 = 10_000;
    // SAFETY: changes one register and the flags.
    unsafe {
        asm!(
            "2:", ".rept 98", "nop", ".endr", "subs {n}, #1", "bne 2b",
            n = inout(reg) ROUNDS => _, options(nomem, nostack),
        );
    }
    u64::from(ROUNDS) * 100
}

/// Executes an instruction that does not exist.
pub fn fault() {
    // SAFETY: ends in the fault handler, which does not return.
    unsafe { asm!("udf #0", options(nomem, nostack)) };
}

#[exception]
unsafe fn HardFault(frame: &ExceptionFrame) -> ! {
    println!("fault at pc {:#010x}", frame.pc());
    exit(FAULTED)
}

#[exception]
unsafe fn DefaultHandler(irqn: i16) {
    println!("unexpected exception {irqn}");
    exit(FAULTED)
}
