//! Last words over UART.

use brownian_board::last_words::last_words;
use core::panic::PanicInfo;
use embassy_rp::uart::{Config, UartTx};
use embassy_rp::Peripherals;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let p = unsafe { Peripherals::steal() };
    let mut line = UartTx::new_blocking(p.UART0, p.PIN_0, Config::default());
    last_words(info, |bytes| _ = line.blocking_write(bytes))
}
