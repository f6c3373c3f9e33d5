//! What interrupts hand over: presses, and bytes of the serial line.

use brownian_board::demo::inputs::Inputs;
use embassy_executor::{task, InterruptExecutor, SendSpawner};
use embassy_nrf::gpio::Input;
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::{InterruptExt, Priority};
use embassy_nrf::uarte::UarteRx;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;

/// What the demo has not seen yet.
pub static INPUTS: Inputs<CriticalSectionRawMutex> = Inputs::new();

/// Tasks that may interrupt the network.
static INTERRUPTING: InterruptExecutor = InterruptExecutor::new();

/// Starts the executor of [`INTERRUPTING`].
pub fn start() -> SendSpawner {
    interrupt::EGU0_SWI0.set_priority(Priority::P6);
    INTERRUPTING.start(interrupt::EGU0_SWI0)
}

#[interrupt]
unsafe fn EGU0_SWI0() {
    // SAFETY: this is the interrupt that the executor was started with.
    unsafe { INTERRUPTING.on_interrupt() }
}

/// Hands over presses.
#[task]
pub async fn button(pin: Input<'static>) {
    INPUTS.button(pin, embassy_time::Delay).await;
}

/// Hands over what comes in at the UART, byte by byte: the chip tells when as many as were asked for are there. It keeps
/// four that come meanwhile.
#[task]
pub async fn uart(mut line: UarteRx<'static>) {
    let mut byte = [0];
    loop {
        if line.read(&mut byte).await.is_ok() {
            INPUTS.put(&byte).await;
        }
    }
}
