//! What interrupts hand over: presses, and bytes of both lines.

use brownian_board::demo::inputs::Inputs;
use core::sync::atomic::{AtomicBool, Ordering};
use embassy_executor::{task, SendSpawner};
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embedded_io_async::Write;
use esp_hal::gpio::Input;
use esp_hal::interrupt::Priority;
use esp_hal::peripherals::FROM_CPU_INTR1;
use esp_hal::uart::UartRx;
use esp_hal::usb::usb_serial_jtag::{UsbSerialJtag, UsbSerialJtagTx};
use esp_hal::{Async, Blocking};
use esp_rtos::embassy::InterruptExecutor;
use static_cell::StaticCell;

/// What the demo has not seen yet.
pub static INPUTS: Inputs = Inputs::new();
/// Bytes for the USB port.
pub static OUTPUT: Pipe<CriticalSectionRawMutex, 256> = Pipe::new();
/// Whether somebody has read the last bytes that were sent there.
pub static IS_READ: AtomicBool = AtomicBool::new(true);

/// Starts an executor of tasks that may interrupt the network.
pub fn start(interrupt: FROM_CPU_INTR1<'static>) -> SendSpawner {
    static INTERRUPTING: StaticCell<InterruptExecutor<1>> = StaticCell::new();
    INTERRUPTING.init(InterruptExecutor::new(interrupt)).start(Priority::Priority1)
}

/// Hands over presses.
#[task]
pub async fn button(pin: Input<'static>) {
    INPUTS.button(pin, embassy_time::Delay).await;
}

/// Hands over what comes in at the UART.
#[task]
pub async fn uart(line: UartRx<'static, Blocking>) {
    INPUTS.bytes(line.into_async()).await;
}

/// Serves the USB port.
#[task]
pub async fn usb(port: UsbSerialJtag<'static, Blocking>) {
    let (received, sent) = port.into_async().split();
    embassy_futures::join::join(INPUTS.bytes(received), send(sent)).await;
}

/// Sends what is written to [`OUTPUT`], and waits for ever where nobody reads it.
async fn send(mut port: UsbSerialJtagTx<'static, Async>) {
    let mut packet = [0; 64];
    loop {
        let count = OUTPUT.read(&mut packet).await;
        // The port has no errors to send.
        _ = port.write_all(&packet[..count]).await;
        _ = port.flush().await;
        IS_READ.store(true, Ordering::Relaxed);
    }
}
