//! What interrupts hand over: presses, and bytes of the serial line.

use crate::kind::Button;
use brownian_board::demo::inputs::Inputs;
use embassy_executor::{task, InterruptExecutor, SendSpawner};
use embassy_stm32::interrupt;
use embassy_stm32::interrupt::{InterruptExt, Priority};
use embassy_stm32::usart::BufferedUartRx;

/// What the demo has not seen yet.
pub static INPUTS: Inputs = Inputs::new();

/// Tasks that may interrupt the network.
static INTERRUPTING: InterruptExecutor = InterruptExecutor::new();

/// Starts the executor of [`INTERRUPTING`], at the interrupt of a peripheral that is not used.
pub fn start() -> SendSpawner {
    interrupt::SPI1.set_priority(Priority::P6);
    INTERRUPTING.start(interrupt::SPI1)
}

#[interrupt]
unsafe fn SPI1() {
    // SAFETY: this is the interrupt that the executor was started with.
    unsafe { INTERRUPTING.on_interrupt() }
}

/// Hands over presses.
#[task]
pub async fn button(pin: Button) {
    INPUTS.button(pin, embassy_time::Delay).await;
}

/// Hands over what comes in at the UART.
#[task]
pub async fn uart(line: BufferedUartRx<'static>) {
    INPUTS.bytes(line).await;
}
