//! What is left to do after a panic: say it, and wait for the watchdog.

use core::fmt::Write;
use core::panic::PanicInfo;
use embassy_rp::uart::{Blocking, Config, UartTx};
use embassy_rp::Peripherals;

struct Line(UartTx<'static, Blocking>);

impl Write for Line {
    fn write_str(&mut self, text: &str) -> core::fmt::Result {
        self.0.blocking_write(text.as_bytes()).map_err(|_| core::fmt::Error)
    }
}

/// Says what happened over UART; then the watchdog restarts the board.
#[panic_handler]
fn panic(info: &PanicInfo) -> ! {
    cortex_m::interrupt::disable();
    // SAFETY: nothing else runs any more.
    let p = unsafe { Peripherals::steal() };
    let mut line = Line(UartTx::new_blocking(p.UART0, p.PIN_0, Config::default()));
    _ = write!(line, "\r\n{info}\r\n");
    loop {
        core::hint::spin_loop();
    }
}
