//! Last words over UART.

use crate::chip;
use brownian_board::last_words::last_words;
use core::panic::PanicInfo;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let mut line = unsafe { chip::last_line() };
    last_words(info, |bytes| _ = line.blocking_write(bytes))
}
