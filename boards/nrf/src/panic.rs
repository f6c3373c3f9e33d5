//! What is left to do after a panic: say it, and wait for the watchdog.

use crate::dk::Irqs;
use core::fmt::Write;
use core::panic::PanicInfo;
use embassy_nrf::uarte::{Config, UarteTx};
use embassy_nrf::Peripherals;

struct Line(UarteTx<'static>);

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
    let mut line = Line(UarteTx::new(p.UARTE0, Irqs, p.P0_06, Config::default()));
    _ = write!(line, "\r\n{info}\r\n");
    loop {
        core::hint::spin_loop();
    }
}
