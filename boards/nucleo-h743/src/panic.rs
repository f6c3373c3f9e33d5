//! Last words over UART.

use brownian_board::last_words::last_words;
use core::panic::PanicInfo;
use embassy_stm32::usart::{Config, UartTx};
use embassy_stm32::Peripherals;

#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let p = unsafe { Peripherals::steal() };
    let mut line = UartTx::new_blocking(p.USART3, p.PD8, Config::default()).ok();
    last_words(info, |bytes| _ = line.as_mut().map(|line| line.blocking_write(bytes)))
}
