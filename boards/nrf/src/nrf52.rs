//! What an nRF52 has for all boards: UART by DMA, pins that interrupt, a clock of the HAL's.

use crate::kind::Irqs;
use crate::lines;
use embassy_nrf::gpio::Input;
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::{Interrupt, Priority};
use embassy_nrf::uarte::Config;
use embassy_nrf::Peripherals;

pub use embassy_nrf::uarte::{Uarte as Uart, UarteRx as UartRx, UarteTx as UartTx};

/// The button's pin.
pub type Button = Input<'static>;

/// The interrupt whose executor serves UART and button, and its priority.
pub const INTERRUPTING: (Interrupt, Priority) = (Interrupt::EGU0_SWI0, Priority::P6);

#[interrupt]
unsafe fn EGU0_SWI0() {
    // SAFETY: this is the interrupt of `INTERRUPTING`.
    unsafe { lines::on_interrupt() }
}

/// The way out for last words, at the pin that the boards here have for it.
///
/// # Safety
/// Nothing else runs any more.
pub unsafe fn last_line() -> UartTx<'static> {
    // SAFETY: nobody else uses them from now on.
    let p = unsafe { Peripherals::steal() };
    UartTx::new(p.UARTE0, Irqs, p.P0_06, Config::default())
}
