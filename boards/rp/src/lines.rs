//! What interrupts hand over: presses, and bytes in both directions.

use brownian_board::demo::press::{self, Press};
use embassy_executor::{task, InterruptExecutor};
use embassy_rp::gpio::Input;
use embassy_rp::interrupt;
use embassy_rp::interrupt::{InterruptExt, Priority, SWI_IRQ_1};
use embassy_rp::uart::BufferedUartRx;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::channel::Channel;
use embassy_sync::pipe::Pipe;
use embedded_io_async::Read;

/// Presses that the demo has not seen yet.
pub static PRESSES: Channel<CriticalSectionRawMutex, Press, 4> = Channel::new();
/// Bytes that have come over UART or USB.
pub static INPUT: Pipe<CriticalSectionRawMutex, 128> = Pipe::new();

/// Tasks that may interrupt the network.
static INTERRUPTING: InterruptExecutor = InterruptExecutor::new();

/// Starts the executor of [`INTERRUPTING`].
pub fn start() -> embassy_executor::SendSpawner {
    SWI_IRQ_1.set_priority(Priority::P3);
    INTERRUPTING.start(SWI_IRQ_1)
}

#[interrupt]
unsafe fn SWI_IRQ_1() {
    // SAFETY: this is the interrupt that the executor was started with.
    unsafe { INTERRUPTING.on_interrupt() }
}

/// Hands over presses; those beyond the fourth that waits are dropped.
#[task]
pub async fn button(mut pin: Input<'static>) {
    loop {
        let told = press::next(&mut pin, &mut embassy_time::Delay, |press| _ = PRESSES.try_send(press)).await;
        match told {
            Ok(()) => {}
            Err(never) => match never {},
        }
    }
}

/// Hands over what comes in at the UART; a line that is broken on the way is up to who reads it.
#[task]
pub async fn uart(mut uart: BufferedUartRx) {
    let mut bytes = [0; 16];
    loop {
        if let Ok(count) = uart.read(&mut bytes).await {
            INPUT.write_all(&bytes[..count]).await;
        }
    }
}
