//! What interrupts hand over: presses, and bytes of the serial line.

use crate::chip::{self, Button, UartRx};
use brownian_board::demo::inputs::Inputs;
use embassy_executor::{task, InterruptExecutor, SendSpawner};
use embassy_nrf::interrupt::InterruptExt;

/// What the demo has not seen yet.
pub static INPUTS: Inputs = Inputs::new();

/// Tasks that may interrupt the network.
static INTERRUPTING: InterruptExecutor = InterruptExecutor::new();

/// Starts the executor of [`INTERRUPTING`].
pub fn start() -> SendSpawner {
    let (interrupt, priority) = chip::INTERRUPTING;
    interrupt.set_priority(priority);
    INTERRUPTING.start(interrupt)
}

/// Lets the tasks do what they are woken for.
///
/// # Safety
/// Called by the interrupt of [`chip::INTERRUPTING`] alone.
pub unsafe fn on_interrupt() {
    // SAFETY: this is the interrupt that the executor was started with.
    unsafe { INTERRUPTING.on_interrupt() }
}

/// Hands over presses.
#[task]
pub async fn button(pin: Button) {
    INPUTS.button(pin, embassy_time::Delay).await;
}

/// Hands over what comes in at the UART, byte by byte: the chip tells when as many as were asked for are there. It keeps
/// a few that come meanwhile.
#[task]
pub async fn uart(mut line: UartRx<'static>) {
    let mut byte = [0];
    loop {
        if line.read(&mut byte).await.is_ok() {
            INPUTS.put(&byte).await;
        }
    }
}
