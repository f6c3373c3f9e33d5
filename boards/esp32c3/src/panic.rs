//! Last words over UART.

use brownian_board::last_words::last_words;
use core::panic::PanicInfo;
use esp_hal::peripherals::Peripherals;
use esp_hal::uart::{Config, UartTx};

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    // SAFETY: the watchdog ends this critical section, none is left.
    _ = unsafe { critical_section::acquire() };
    // SAFETY: nothing else runs any more.
    let p = unsafe { Peripherals::steal() };
    let mut line = UartTx::new(p.UART0, Config::default()).ok().map(|line| line.with_tx(p.GPIO21));
    last_words(info, |bytes| {
        let Some(line) = line.as_mut() else { return };
        let mut rest = bytes;
        while let Ok(sent @ 1..) = line.write(rest) {
            rest = rest.get(sent..).unwrap_or_default();
        }
        _ = line.flush();
    })
}
