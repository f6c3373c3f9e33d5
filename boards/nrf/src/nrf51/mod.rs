//! What an nRF51 has for all boards: a UART without DMA, a clock on `TIMER0`, and pins that are looked at in turn.
//!
//! Interrupts have one priority, so that none interrupts another: one frame of them is all that the stack must have.

mod clock;
mod uart;

use crate::lines;
use brownian_board::demo::press::Polled;
use embassy_nrf::gpio::Input;
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::{Interrupt, Priority};
use embassy_time::Delay;

pub use uart::{Uart, UartRx, UartTx};

/// The button's pin.
pub type Button = Polled<Input<'static>, Delay>;

/// The priority of all interrupts.
const PRIORITY: Priority = Priority::P3;

/// The interrupt whose executor serves UART and button, and its priority.
pub const INTERRUPTING: (Interrupt, Priority) = (Interrupt::SWI0, PRIORITY);

#[interrupt]
unsafe fn SWI0() {
    // SAFETY: this is the interrupt of `INTERRUPTING`.
    unsafe { lines::on_interrupt() }
}

/// Starts the clock; before it time stands still.
pub fn start_clock() {
    clock::start(PRIORITY);
}

/// The way out for last words.
///
/// # Safety
/// Nothing else runs any more.
pub unsafe fn last_line() -> UartTx<'static> {
    UartTx::stolen()
}
