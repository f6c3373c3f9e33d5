//! The serial line as a USB port.

use crate::lines::INPUTS;
use embassy_executor::task;
use embassy_futures::join::join3;
use embassy_rp::peripherals::USB;
use embassy_rp::usb::Driver;
use embassy_sync::blocking_mutex::raw::CriticalSectionRawMutex;
use embassy_sync::pipe::Pipe;
use embassy_usb::class::cdc_acm::{CdcAcmClass, State};
use embassy_usb::{Builder, Config};
use portable_atomic::{AtomicBool, Ordering};
use static_cell::{ConstStaticCell, StaticCell};

/// Bytes of a packet.
const PACKET: u16 = 64;

/// Bytes for the host; see [`IS_OPEN`].
pub static OUTPUT: Pipe<CriticalSectionRawMutex, 256> = Pipe::new();
/// Whether a program has opened the port.
pub static IS_OPEN: AtomicBool = AtomicBool::new(false);

/// Serves the port for ever.
#[task]
pub async fn usb(driver: Driver<'static, USB>, product: &'static str) {
    static DESCRIPTORS: ConstStaticCell<[u8; 128]> = ConstStaticCell::new([0; 128]);
    static BOS: ConstStaticCell<[u8; 32]> = ConstStaticCell::new([0; 32]);
    static CONTROL: ConstStaticCell<[u8; 64]> = ConstStaticCell::new([0; 64]);
    static STATE: StaticCell<State> = StaticCell::new();
    // The pair that pid.codes keeps for tests.
    let mut config = Config::new(0x1209, 0x0001);
    config.manufacturer = Some("Brownian");
    config.product = Some(product);
    config.serial_number = Some("1");
    let mut builder = Builder::new(driver, config, DESCRIPTORS.take(), BOS.take(), &mut [], CONTROL.take());
    let class = CdcAcmClass::new(&mut builder, STATE.init(State::new()), PACKET);
    let mut device = builder.build();
    let (mut sender, mut receiver, control) = class.split_with_control();
    let input = async {
        let mut packet = [0; PACKET as usize];
        loop {
            receiver.wait_connection().await;
            while let Ok(count) = receiver.read_packet(&mut packet).await {
                INPUTS.put(&packet[..count]).await;
            }
        }
    };
    let output = async {
        // One less than a packet: a full one would have to be followed by an empty one.
        let mut packet = [0; PACKET as usize - 1];
        loop {
            sender.wait_connection().await;
            loop {
                IS_OPEN.store(sender.dtr(), Ordering::Relaxed);
                if !sender.dtr() {
                    control.control_changed().await;
                    continue;
                }
                let count = OUTPUT.read(&mut packet).await;
                if sender.write_packet(&packet[..count]).await.is_err() {
                    break;
                }
            }
            IS_OPEN.store(false, Ordering::Relaxed);
        }
    };
    join3(device.run(), input, output).await;
}
