//! What interrupts hand over: presses, and bytes of both lines.

use brownian_board::demo::inputs::Inputs;
use embassy_executor::{task, InterruptExecutor, SendSpawner};
use embassy_rp::gpio::Input;
use embassy_rp::interrupt;
use embassy_rp::interrupt::{InterruptExt, Priority, SWI_IRQ_1};
use embassy_rp::uart::BufferedUartRx;

/// What the demo has not seen yet.
pub static INPUTS: Inputs = Inputs::new();

/// Tasks that may interrupt the network.
static INTERRUPTING: InterruptExecutor = InterruptExecutor::new();

/// Starts the executor of [`INTERRUPTING`].
pub fn start() -> SendSpawner {
    SWI_IRQ_1.set_priority(Priority::P3);
    INTERRUPTING.start(SWI_IRQ_1)
}

#[interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: this is the interrupt that the executor was started with.
    unsafe { INTERRUPTING.on_interrupt() }
}

/// Hands over presses.
#[task]
pub async fn button(pin: Input<'static>) {
    INPUTS.button(pin, embassy_time::Delay).await;
}

/// Hands over what comes in at the UART.
#[task]
pub async fn uart(line: BufferedUartRx) {
    INPUTS.bytes(line).await;
}
