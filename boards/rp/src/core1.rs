//! The second core, which computes half of each op's outputs.

use brownian::Fork;
use brownian_board::mailbox::{Mailbox, Outbox};
use cortex_m::asm::{sev, wfe};
use embassy_rp::multicore::{spawn_core1, Stack};
use embassy_rp::peripherals::CORE1;
use embassy_rp::Peri;
use static_cell::{ConstStaticCell, StaticCell};

/// Bytes of its stack. An op takes less than 1 KB; interrupts are served by the first core.
const STACK: usize = 3 * 1024;

/// Starts it; it sleeps while nothing is handed to it.
pub fn start(core: Peri<'static, CORE1>) -> &'static dyn Fork {
    static CORE1_STACK: ConstStaticCell<Stack<STACK>> = ConstStaticCell::new(Stack::new());
    static MAILBOX: StaticCell<Mailbox> = StaticCell::new();
    static OUTBOX: StaticCell<Outbox> = StaticCell::new();
    let (outbox, mut inbox) = MAILBOX.init(Mailbox::new(wfe, sev)).split();
    spawn_core1(core, CORE1_STACK.take(), move || loop {
        inbox.serve();
    });
    OUTBOX.init(outbox)
}
