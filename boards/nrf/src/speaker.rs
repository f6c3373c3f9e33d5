//! An amplifier at I²S.

use brownian_board::demo::speaker::{Sound, VALUES};
use embassy_nrf::i2s::{Config, DoubleBuffering, InterruptHandler, MasterClock, MckFreq, Ratio, I2S as Bus};
use embassy_nrf::peripherals::{I2S, P1_10, P1_11, P1_12, P1_13};
use embassy_nrf::{bind_interrupts, Peri};

bind_interrupts!(struct Irqs {
    I2S => InterruptHandler<I2S>;
});

/// The master clocks that there are.
const MASTER: [MckFreq; 13] = [
    MckFreq::_32MDiv8,
    MckFreq::_32MDiv10,
    MckFreq::_32MDiv11,
    MckFreq::_32MDiv15,
    MckFreq::_32MDiv16,
    MckFreq::_32MDiv21,
    MckFreq::_32MDiv23,
    MckFreq::_32MDiv30,
    MckFreq::_32MDiv31,
    MckFreq::_32MDiv32,
    MckFreq::_32MDiv42,
    MckFreq::_32MDiv63,
    MckFreq::_32MDiv125,
];
/// Their parts of a frame: those that two samples of 16 bits divide.
const FRAMES: [Ratio; 8] =
    [Ratio::_32x, Ratio::_64x, Ratio::_96x, Ratio::_128x, Ratio::_192x, Ratio::_256x, Ratio::_384x, Ratio::_512x];

/// The clock that is nearest to so many samples a second: 8,000 as they are, 16,000 and 44,100 within 2 %.
fn clock(rate: u32) -> MasterClock {
    let frames = |master| FRAMES.iter().map(move |&frame| MasterClock::new(master, frame));
    let clocks = MASTER.iter().flat_map(|&master| frames(master));
    let slowest = MasterClock::new(MckFreq::_32MDiv125, Ratio::_512x);
    clocks.min_by_key(|clock| clock.sample_rate().abs_diff(rate)).unwrap_or(slowest)
}

/// The amplifier.
pub struct Speaker {
    /// I²S.
    pub bus: Peri<'static, I2S>,
    /// BCLK.
    pub bit_clock: Peri<'static, P1_10>,
    /// LRC.
    pub side_clock: Peri<'static, P1_11>,
    /// DIN.
    pub data: Peri<'static, P1_12>,
    /// A clock that the chip sends besides, and the amplifier does not need.
    pub master_clock: Peri<'static, P1_13>,
}

impl Speaker {
    /// Plays a sound, and asks before every block whether it goes on.
    pub async fn play(&mut self, rate: u32, mut sound: Sound<'_>, mut goes_on: impl FnMut() -> bool) {
        let Self { bus, bit_clock, side_clock, data, master_clock } = self;
        let (master_clock, bit_clock) = (master_clock.reborrow(), bit_clock.reborrow());
        let clock = clock(rate);
        let bus = Bus::new_master(
            bus.reborrow(),
            Irqs,
            master_clock,
            bit_clock,
            side_clock.reborrow(),
            clock,
            Config::default(),
        );
        let mut out = bus.output(data.reborrow(), DoubleBuffering::<i16, VALUES>::new());
        // Blocks lie in RAM, at a multiple of 4, which is all that could be wrong.
        if sound.fill(out.buffer()) && out.start().await.is_ok() {
            while goes_on() && sound.fill(out.buffer()) && out.send().await.is_ok() {}
            out.stop().await;
        }
    }
}
