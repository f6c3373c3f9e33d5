//! An amplifier at I²S: a state machine of PIO0 sends what DMA hands to it.

use brownian_board::demo::speaker::{Sound, BLOCK, VALUES};
use bytemuck::cast_slice_mut;
use embassy_rp::peripherals::{DMA_CH0, PIN_10, PIN_11, PIN_9, PIO0};
use embassy_rp::pio::{self, Pio};
use embassy_rp::pio_programs::i2s::{PioI2sOut, PioI2sOutProgram};
use embassy_rp::{bind_interrupts, dma, Peri};

bind_interrupts!(struct Irqs {
    DMA_IRQ_0 => dma::InterruptHandler<DMA_CH0>;
    PIO0_IRQ_0 => pio::InterruptHandler<PIO0>;
});

/// Bits of a sample.
const BITS: u32 = 16;

/// What it is made of: PIO, DMA, DIN, BCLK and LRC. The pins of the clocks must follow one another.
pub type Parts =
    (Peri<'static, PIO0>, Peri<'static, DMA_CH0>, Peri<'static, PIN_9>, Peri<'static, PIN_10>, Peri<'static, PIN_11>);

/// The amplifier. It is set up with its first sound: a board has one model, and a model has one rate.
pub enum Speaker {
    /// Before the first sound.
    Parts(Parts),
    /// Set up.
    Ready(PioI2sOut<'static, PIO0, 0>),
    /// While it is set up.
    None,
}

impl Speaker {
    fn ready(&mut self, rate: u32) -> Option<&mut PioI2sOut<'static, PIO0, 0>> {
        *self = match core::mem::replace(self, Self::None) {
            Self::Parts((pio, dma, data, bit_clock, side_clock)) => {
                let Pio { mut common, sm0, .. } = Pio::new(pio, Irqs);
                let program = PioI2sOutProgram::new(&mut common);
                let (common, program) = (&mut common, &program);
                let out = PioI2sOut::new(common, sm0, dma, Irqs, data, bit_clock, side_clock, rate, BITS, program);
                Self::Ready(out)
            }
            other => other,
        };
        match self {
            Self::Ready(out) => Some(out),
            _ => None,
        }
    }

    /// Plays a sound, and asks before every block whether it goes on.
    pub async fn play(&mut self, rate: u32, mut sound: Sound<'_>, mut goes_on: impl FnMut() -> bool) {
        let Some(out) = self.ready(rate) else { return };
        // A word is a frame: PIO sends its upper half for one side and its lower half for the other.
        let (mut playing, mut next) = ([0u32; BLOCK], [0u32; BLOCK]);
        const { assert!(VALUES * 2 == BLOCK * 4) };
        let mut is_filled = sound.fill(cast_slice_mut(&mut playing));
        out.start();
        while is_filled && goes_on() {
            let transfer = out.write(&playing);
            is_filled = sound.fill(cast_slice_mut(&mut next));
            transfer.await;
            core::mem::swap(&mut playing, &mut next);
        }
        out.stop();
    }
}
