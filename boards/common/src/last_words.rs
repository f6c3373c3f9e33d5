//! What is left to do after a panic: say it, and wait for the watchdog.

use core::fmt::{self, Write};
use core::panic::PanicInfo;

struct Line<F>(F);

impl<F: FnMut(&[u8])> Write for Line<F> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0(text.as_bytes());
        Ok(())
    }
}

/// Says what happened, on a line of its own, with `send`, which waits until its bytes are sent; with the feature `rtt` a
/// debug probe gets it, too. Then nothing more happens until the watchdog restarts the board. Interrupts are off.
pub fn last_words(info: &PanicInfo, send: impl FnMut(&[u8])) -> ! {
    #[cfg(feature = "rtt")]
    crate::rtt::last_words(info);
    // The line never fails.
    _ = write!(Line(send), "\r\n{info}\r\n");
    loop {
        core::hint::spin_loop();
    }
}
