//! Last words over UART.

use brownian_board::last_words::last_words;
use core::panic::PanicInfo;
use embassy_stm32::Peripherals;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let mut line = crate::kind::plain_line(unsafe { Peripherals::steal() });
    last_words(info, |bytes| _ = line.as_mut().map(|line| line.blocking_write(bytes)))
}
