//! A frame on a display of 128×64 dots: the image on the left; on the right seed, class, plan, step, the time of a step
//! and a bar.

use super::dither::{Dots, SIDE};
use super::frame::Frame;
use embedded_graphics::mono_font::ascii::FONT_6X10;
use embedded_graphics::mono_font::MonoTextStyle;
use embedded_graphics::pixelcolor::BinaryColor;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::{PrimitiveStyle, Rectangle, StyledDrawable};
use embedded_graphics::text::{Baseline, Text};

/// Columns and rows of the display.
pub const SIZE: Size = Size::new(128, 64);

/// Where the text begins, and how many characters fit.
const TEXT: i32 = 67;
const CHARACTERS: usize = 10;
/// Rows from one line of text to the next.
const LINE: i32 = 11;
/// The bar's corner and size.
const BAR: Rectangle = Rectangle::new(Point::new(TEXT, 57), Size::new(60, 6));

impl Drawable for Frame<'_, Dots> {
    type Color = BinaryColor;
    type Output = ();

    fn draw<D: DrawTarget<Color = BinaryColor>>(&self, target: &mut D) -> Result<(), D::Error> {
        target.clear(BinaryColor::Off)?;
        let corner = [self.image.width(), self.image.height()].map(|side| (SIDE - side) / 2);
        target.draw_iter(
            self.image
                .light()
                .map(|(x, y)| Pixel(Point::new((x + corner[0]) as i32, (y + corner[1]) as i32), BinaryColor::On)),
        )?;
        let style = MonoTextStyle::new(&FONT_6X10, BinaryColor::On);
        for (text, row) in self.words::<CHARACTERS>().iter().zip((0..).step_by(LINE as usize)) {
            Text::with_baseline(text, Point::new(TEXT, row), style, Baseline::Top).draw(target)?;
        }
        BAR.draw_styled(&PrimitiveStyle::with_stroke(BinaryColor::On, 1), target)?;
        let done = Rectangle::new(BAR.top_left, Size::new(self.done(BAR.size.width), BAR.size.height));
        done.draw_styled(&PrimitiveStyle::with_fill(BinaryColor::On), target)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::demo::frame::tests::FRAME;
    use crate::demo::frame::Note;
    use embedded_graphics::framebuffer::{buffer_size, Framebuffer};
    use embedded_graphics::image::GetPixel;
    use embedded_graphics::pixelcolor::raw::{LittleEndian, RawU1};
    use std::string::{String, ToString};

    type Screen = Framebuffer<BinaryColor, RawU1, LittleEndian, 128, 64, { buffer_size::<BinaryColor>(128, 64) }>;

    fn drawn(frame: &Frame) -> Screen {
        let mut screen = Screen::new();
        frame.draw(&mut screen).unwrap();
        screen
    }

    fn rows(screen: &Screen, rows: core::ops::Range<i32>, columns: core::ops::Range<i32>) -> String {
        let dot = |x, y| if screen.pixel(Point::new(x, y)) == Some(BinaryColor::On) { '#' } else { '.' };
        rows.map(|y| columns.clone().map(|x| dot(x, y)).chain(['\n']).collect::<String>()).collect()
    }

    /// The image's dots lie in the middle of the left half.
    #[test]
    fn the_image_is_on_the_left() {
        let dots = Dots::of_image(core::iter::repeat_n(1.0, 784), [28, 28, 1]);
        let screen = drawn(&Frame { image: &dots, ..FRAME });
        let expected = ("....".to_string() + &"#".repeat(56) + "....\n").repeat(56);
        assert_eq!(rows(&screen, 4..60, 0..64), expected);
        assert!(!rows(&screen, 0..4, 0..64).contains('#') && !rows(&screen, 60..64, 0..64).contains('#'));
    }

    /// Three of five steps fill three fifths of the bar.
    #[test]
    fn the_bar_fills() {
        let screen = drawn(&Frame { step: 3, ..FRAME });
        assert_eq!(rows(&screen, 60..61, 67..127), "#".repeat(36) + &".".repeat(23) + "#\n");
        assert_eq!(rows(&drawn(&FRAME), 60..61, 67..127), "#".to_string() + &".".repeat(58) + "#\n");
        assert_eq!(rows(&drawn(&Frame { step: 5, ..FRAME }), 60..61, 67..127), "#".repeat(60) + "\n");
    }

    /// Every word has its place: another seed changes the first line alone, and so on; the time comes with a step.
    #[test]
    fn every_word_has_its_line() {
        let line = |screen: &Screen, n: i32| rows(screen, n * LINE..(n + 1) * LINE, 64..128);
        let changed = [
            Frame { seed: 8, ..FRAME },
            Frame { class: "none", ..FRAME },
            Frame { plan: "ddim50", ..FRAME },
            Frame { steps: 6, ..FRAME },
            Frame { note: Note::BadModel, ..FRAME },
        ];
        let before = drawn(&FRAME);
        for (index, frame) in changed.iter().enumerate() {
            let after = drawn(frame);
            for n in 0..5 {
                assert_eq!(line(&before, n) != line(&after, n), n == index as i32, "frame {index}, line {n}");
            }
        }
        assert!(!line(&before, 4).contains('#'));
        assert!(line(&drawn(&Frame { step: 1, micros: 812_000, ..FRAME }), 4).contains('#'));
    }

    /// The largest values are cut off and leave the image alone.
    #[test]
    fn long_words_are_cut() {
        let long = "x".repeat(100);
        let frame = Frame { seed: u64::MAX, class: &long, plan: &long, step: 0, steps: 0, micros: u64::MAX, ..FRAME };
        assert!(!rows(&drawn(&frame), 0..64, 0..64).contains('#'));
    }
}
