//! The UART: 115,200 baud, byte by byte.

use core::convert::Infallible;
use core::future::poll_fn;
use core::marker::PhantomData;
use core::task::Poll;
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pin, Pull};
use embassy_nrf::interrupt;
use embassy_nrf::interrupt::InterruptExt;
use embassy_nrf::pac::uart::vals::{Baudrate, Enable};
use embassy_nrf::pac::UART0;
use embassy_nrf::peripherals;
use embassy_nrf::Peri;
use embassy_sync::waitqueue::AtomicWaker;

/// Who waits for a byte.
static RECEIVER: AtomicWaker = AtomicWaker::new();

/// The UART, both ways.
pub struct Uart<'d>(PhantomData<&'d ()>);

/// The way out.
pub struct UartTx<'d>(PhantomData<&'d ()>);

/// The way in.
pub struct UartRx<'d>(PhantomData<&'d ()>);

impl Uart<'static> {
    /// At these pins.
    pub fn new(
        _uart: Peri<'static, peripherals::UART0>,
        input: Peri<'static, impl Pin>,
        output: Peri<'static, impl Pin>,
    ) -> Self {
        UART0.pselrxd().write_value(u32::from(input.pin()));
        UART0.pseltxd().write_value(u32::from(output.pin()));
        // The chip wants the pins set up besides; the line is high while nothing is said.
        Output::new(output, Level::High, OutputDrive::Standard).persist();
        Input::new(input, Pull::Up).persist();
        UART0.baudrate().write(|w| w.set_baudrate(Baudrate::Baud115200));
        UART0.enable().write(|w| w.set_enable(Enable::Enabled));
        UART0.tasks_starttx().write_value(1);
        UART0.tasks_startrx().write_value(1);
        interrupt::UART0.set_priority(super::PRIORITY);
        // SAFETY: the handler below serves it.
        unsafe { interrupt::UART0.enable() };
        Self(PhantomData)
    }

    /// Both ways, each for itself.
    pub fn split(self) -> (UartTx<'static>, UartRx<'static>) {
        (UartTx(PhantomData), UartRx(PhantomData))
    }
}

impl UartTx<'_> {
    /// Of a UART that is set up, whoever has it.
    pub(super) fn stolen() -> Self {
        Self(PhantomData)
    }

    /// Sends.
    ///
    /// # Errors
    /// Never.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        self.blocking_write(bytes)
    }

    /// Sends, and waits for each byte, which takes 87 µs.
    ///
    /// # Errors
    /// Never.
    pub fn blocking_write(&mut self, bytes: &[u8]) -> Result<(), Infallible> {
        for byte in bytes {
            UART0.events_txdrdy().write_value(0);
            UART0.txd().write(|w| w.set_txd(*byte));
            while UART0.events_txdrdy().read() == 0 {}
        }
        Ok(())
    }
}

impl UartRx<'_> {
    /// Waits for as many bytes; the chip keeps six that come meanwhile, and drops others.
    ///
    /// # Errors
    /// Never: what is broken on the way is up to who reads it.
    pub async fn read(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = poll_fn(|context| {
                RECEIVER.register(context.waker());
                if UART0.events_rxdrdy().read() == 0 {
                    UART0.intenset().write(|w| w.set_rxdrdy(true));
                    return Poll::Pending;
                }
                UART0.events_rxdrdy().write_value(0);
                Poll::Ready(UART0.rxd().read().rxd())
            })
            .await;
        }
        Ok(())
    }
}

#[interrupt]
fn UART0() {
    // Until somebody waits again.
    UART0.intenclr().write(|w| w.set_rxdrdy(true));
    RECEIVER.wake();
}
