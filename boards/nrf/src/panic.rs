//! Last words over UART.

use crate::kind::Irqs;
use brownian_board::last_words::last_words;
use core::panic::PanicInfo;
use embassy_nrf::uarte::{Config, UarteTx};
use embassy_nrf::Peripherals;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let p = unsafe { Peripherals::steal() };
    let mut line = UarteTx::new(p.UARTE0, Irqs, p.P0_06, Config::default());
    last_words(info, |bytes| _ = line.blocking_write(bytes))
}
