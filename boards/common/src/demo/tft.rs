//! An ST7789 of 240×240 or 240×320 pixels at an SPI bus.

use super::board::DisplayError;
use super::frame::Frame;
use super::pixels::Pixels;
use core::borrow::Borrow;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_hal::delay::DelayNs;
use embedded_hal::digital::OutputPin;
use mipidsi::interface::{Interface, InterfacePixelFormat};
use mipidsi::models::ST7789;
use mipidsi::options::ColorInversion;
use mipidsi::{Builder, Display};

/// The display. It is set up before its first frame, and again after the bus has failed. A display that is not there
/// cannot be told from one that is: it has no wire by which to answer.
pub struct Tft<I: Interface, R: OutputPin, D>
where
    Rgb565: InterfacePixelFormat<I::Word>,
{
    state: State<I, R>,
    delay: D,
}

enum State<I: Interface, R: OutputPin>
where
    Rgb565: InterfacePixelFormat<I::Word>,
{
    /// Bus and reset pin.
    Down(I, R),
    Ready(Display<I, ST7789, R>),
    /// The bus has failed while the display was set up, and the driver has kept it.
    Lost,
}

impl<I: Interface, R: OutputPin, D: DelayNs> Tft<I, R, D>
where
    Rgb565: InterfacePixelFormat<I::Word>,
{
    /// The display at this bus, with its reset pin. `delay` waits 0.3 seconds while it is set up.
    pub fn new(bus: I, reset: R, delay: D) -> Self {
        Self { state: State::Down(bus, reset), delay }
    }

    /// Shows a frame in the upper 240 rows. Returns when the bus has it all.
    ///
    /// # Errors
    /// The bus fails. Where it does while the display is set up, no later frame is shown.
    pub fn show(&mut self, frame: &Frame<'_, impl Borrow<Pixels>>) -> Result<(), DisplayError> {
        let (mut display, is_new) = match core::mem::replace(&mut self.state, State::Lost) {
            State::Down(bus, reset) => {
                // The glass wants its colours inverted, and the memory has 320 rows, whatever the glass shows of them.
                let builder = Builder::new(ST7789, bus).reset_pin(reset).invert_colors(ColorInversion::Inverted);
                (builder.init(&mut self.delay).map_err(|_| DisplayError::NoAnswer)?, true)
            }
            State::Ready(display) => (display, false),
            State::Lost => return Err(DisplayError::NoAnswer),
        };
        let cleared = if is_new { display.clear(Rgb565::BLACK) } else { Ok(()) };
        match cleared.and_then(|()| frame.draw(&mut display)) {
            Ok(()) => {
                self.state = State::Ready(display);
                Ok(())
            }
            Err(_) => {
                if let (bus, _, Some(reset)) = display.release() {
                    self.state = State::Down(bus, reset);
                }
                Err(DisplayError::NoAnswer)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::demo::frame::Note;
    use core::cell::RefCell;
    use core::convert::Infallible;
    use embedded_hal::digital;
    use mipidsi::interface::InterfaceKind;
    use std::vec::Vec;

    /// A bus that writes down what it is told, until it fails.
    #[derive(Default)]
    struct Log {
        commands: Vec<(u8, Vec<u8>)>,
        pixels: usize,
        waits: u64,
        resets: usize,
        fails: bool,
    }

    struct Bus<'a>(&'a RefCell<Log>);
    struct Reset<'a>(&'a RefCell<Log>);
    struct Delay<'a>(&'a RefCell<Log>);

    impl Bus<'_> {
        fn pixels(&self, count: usize) -> Result<(), &'static str> {
            let mut log = self.0.borrow_mut();
            log.pixels += count;
            if log.fails {
                Err("broken")
            } else {
                Ok(())
            }
        }
    }

    impl Interface for Bus<'_> {
        type Word = u8;
        type Error = &'static str;
        const KIND: InterfaceKind = InterfaceKind::Serial4Line;

        fn send_command(&mut self, command: u8, args: &[u8]) -> Result<(), Self::Error> {
            self.0.borrow_mut().commands.push((command, args.to_vec()));
            self.pixels(0)
        }
        fn send_pixels<const N: usize>(
            &mut self,
            pixels: impl IntoIterator<Item = [u8; N]>,
        ) -> Result<(), Self::Error> {
            self.pixels(pixels.into_iter().count())
        }
        fn send_repeated_pixel<const N: usize>(&mut self, _: [u8; N], count: u32) -> Result<(), Self::Error> {
            self.pixels(count as usize)
        }
    }

    impl digital::ErrorType for Reset<'_> {
        type Error = Infallible;
    }

    impl OutputPin for Reset<'_> {
        fn set_low(&mut self) -> Result<(), Infallible> {
            self.0.borrow_mut().resets += 1;
            Ok(())
        }
        fn set_high(&mut self) -> Result<(), Infallible> {
            Ok(())
        }
    }

    impl DelayNs for Delay<'_> {
        fn delay_ns(&mut self, ns: u32) {
            self.0.borrow_mut().waits += u64::from(ns);
        }
    }

    fn show<'a>(tft: &mut Tft<Bus<'a>, Reset<'a>, Delay<'a>>) -> Result<(), DisplayError> {
        let image = Pixels::blank();
        let (image, note) = (&image, Note::None);
        tft.show(&Frame { image, seed: 1, class: "0", plan: "fast5", step: 0, steps: 5, micros: 0, note })
    }

    /// The first frame sets the display up: out of sleep, inverted, 16 bits a pixel, on, all 320 rows dark. The next one
    /// only draws, within the upper 240 rows.
    #[test]
    fn it_is_set_up_once() {
        let log = RefCell::new(Log::default());
        let mut tft = Tft::new(Bus(&log), Reset(&log), Delay(&log));
        show(&mut tft).unwrap();
        let commands: Vec<u8> = log.borrow().commands.iter().map(|(command, _)| *command).collect();
        assert_eq!(commands[..6], [0x11, 0x36, 0x21, 0x3a, 0x13, 0x29]);
        assert_eq!(log.borrow().commands[3].1, [0x55]);
        assert_eq!((log.borrow().resets, log.borrow().waits / 1_000_000), (1, 300));
        assert!(log.borrow().commands.contains(&(0x2b, [0, 0, 1, 63].to_vec())));
        let (set_up, pixels) = (commands.len(), log.borrow().pixels);
        show(&mut tft).unwrap();
        let log = log.into_inner();
        assert_eq!((log.resets, log.pixels), (1, 2 * pixels - 240 * 320));
        let rows = log.commands[set_up..].iter().filter(|(command, _)| *command == 0x2b);
        assert!(rows.clone().count() > 3 && rows.into_iter().all(|(_, rows)| rows[2] == 0 && rows[3] < 240));
    }

    /// A bus that fails within a frame is told, and the display set up anew with the next frame.
    #[test]
    fn a_bus_that_fails_is_told() {
        let log = RefCell::new(Log::default());
        let mut tft = Tft::new(Bus(&log), Reset(&log), Delay(&log));
        show(&mut tft).unwrap();
        log.borrow_mut().fails = true;
        assert_eq!(show(&mut tft), Err(DisplayError::NoAnswer));
        log.borrow_mut().fails = false;
        assert_eq!(show(&mut tft), Ok(()));
        assert_eq!(log.borrow().resets, 2);
        assert_eq!(show(&mut tft), Ok(()));
        assert_eq!(log.borrow().resets, 2);
    }

    /// One that fails while the display is set up is told with every frame.
    #[test]
    fn a_bus_that_fails_at_first_is_given_up() {
        let log = RefCell::new(Log { fails: true, ..Log::default() });
        let mut tft = Tft::new(Bus(&log), Reset(&log), Delay(&log));
        for _ in 0..2 {
            assert_eq!(show(&mut tft), Err(DisplayError::NoAnswer));
            log.borrow_mut().fails = false;
        }
        assert_eq!(log.borrow().resets, 1);
    }
}
