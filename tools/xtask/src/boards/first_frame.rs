//! What a display shows before the first step: the words of the draw, and what is to be said of the model's flash region.

use super::list::Display;
use super::script::Draw;
use anyhow::{ensure, Result};
use brownian_board::demo::dither::Dots;
use brownian_board::demo::frame::{Frame, Note, Raster};
use brownian_board::demo::leds;
use brownian_board::demo::pixels::Pixels;
use embedded_graphics::framebuffer::{buffer_size, Framebuffer};
use embedded_graphics::image::GetPixel;
use embedded_graphics::pixelcolor::raw::{LittleEndian, RawU1, RawU16};
use embedded_graphics::pixelcolor::{BinaryColor, Rgb565};
use embedded_graphics::prelude::*;

type Mono = Framebuffer<BinaryColor, RawU1, LittleEndian, 128, 64, { buffer_size::<BinaryColor>(128, 64) }>;
type Colour = Framebuffer<Rgb565, RawU16, LittleEndian, 240, 240, { buffer_size::<Rgb565>(240, 240) }>;

/// Compares the display's rows with the first frame of a draw of so many steps, every dot; of LEDs, which need a while to be
/// seen at their brightness, whether they are lit.
pub fn compare(display: Display, rows: &[String], draw: Draw, steps: usize, note: Note) -> Result<()> {
    let (expected, found) = match display {
        Display::Oled => (mono(&of(draw, steps, note, &Dots::blank())), rows.to_vec()),
        Display::Tft => (colour(&of(draw, steps, note, &Pixels::blank())), rows.to_vec()),
        Display::Leds(_) => (leds::sign(note).map(|row| row.map(lit).iter().collect()).into(), lights(rows)),
    };
    ensure!(expected.len() == found.len(), "{} rows instead of {}", found.len(), expected.len());
    for (y, (found, expected)) in found.iter().zip(&expected).enumerate() {
        let said = note.text();
        ensure!(found == expected, "before the first step, row {y}, '{said}':\n{found}\ninstead of\n{expected}");
    }
    Ok(())
}

fn of<'a, R: Raster>(draw: Draw<'a>, steps: usize, note: Note, image: &'a R) -> Frame<'a, R> {
    let Draw { seed, class, plan } = draw;
    Frame { image, seed, class, plan, step: 0, steps, micros: 0, note }
}

fn mono(frame: &Frame<'_, Dots>) -> Vec<String> {
    let mut screen = Mono::new();
    // A memory takes everything.
    _ = frame.draw(&mut screen);
    let dot = |x, y| if screen.pixel(Point::new(x, y)) == Some(BinaryColor::On) { '#' } else { '.' };
    (0..64).map(|y| (0..128).map(|x| dot(x, y)).collect()).collect()
}

fn colour(frame: &Frame<'_, Pixels>) -> Vec<String> {
    let mut screen = Box::new(Colour::new());
    _ = frame.draw(&mut *screen);
    let pixel = |x, y| screen.pixel(Point::new(x, y)).map_or(0, |colour| colour.into_storage());
    (0..240).map(|y| (0..240).map(|x| format!("{:04x}", pixel(x, y))).collect()).collect()
}

fn lit(level: u8) -> char {
    if level > 0 {
        '#'
    } else {
        '.'
    }
}

fn lights(rows: &[String]) -> Vec<String> {
    rows.iter().map(|row| row.bytes().map(|level| lit(level.saturating_sub(b'0'))).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DRAW: Draw = Draw { seed: 1, class: "0", plan: "fast5" };

    /// Another note, seed or number of steps is told on displays of both kinds; what is right is taken.
    #[test]
    fn another_first_frame_is_told() {
        let other = Draw { seed: 2, ..DRAW };
        let notes = [Note::None, Note::BuiltIn, Note::TooLarge, Note::BadFormat, Note::BadModel];
        for note in notes {
            let dots = mono(&of(DRAW, 5, note, &Dots::blank()));
            let pixels = colour(&of(DRAW, 5, note, &Pixels::blank()));
            for (display, rows) in [(Display::Oled, dots), (Display::Tft, pixels)] {
                let check = |draw, steps, note| compare(display, &rows, draw, steps, note);
                check(DRAW, 5, note).unwrap();
                check(other, 5, note).unwrap_err();
                check(DRAW, 6, note).unwrap_err();
                for wrong in notes.into_iter().filter(|&wrong| wrong != note) {
                    let error = check(DRAW, 5, wrong).unwrap_err().to_string();
                    assert!(error.contains(wrong.text()), "{error}");
                }
            }
        }
    }

    /// LEDs may be dim, but not dark, and others not lit.
    #[test]
    fn signs_of_leds_are_told() {
        let check = |rows: [&str; 5], note| {
            compare(Display::Leds(56), &rows.map(str::to_owned), DRAW, 5, note).map_err(|error| error.to_string())
        };
        let dot = ["00000", "00000", "00300", "00000", "00000"];
        assert_eq!(check(dot, Note::BuiltIn), Ok(()));
        for note in [Note::None, Note::BadModel] {
            check(dot, note).unwrap_err();
        }
        let cross = ["50005", "05050", "00500", "05050", "50005"];
        assert_eq!(check(cross, Note::BadFormat), Ok(()));
        check(["50005", "05050", "00500", "05050", "50000"], Note::BadFormat).unwrap_err();
    }
}
