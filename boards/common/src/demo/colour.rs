//! A frame in colour on 240×240 pixels: the image above; below it seed, class, plan, step, the time of a step and a bar.
//!
//! Everything is drawn over what was there before, nothing is cleared first, so that a display without a second buffer
//! does not flicker.

use super::frame::{cut, Frame};
use super::pixels::Pixels;
use core::borrow::Borrow;
use embedded_graphics::mono_font::ascii::FONT_8X13;
use embedded_graphics::mono_font::MonoTextStyleBuilder;
use embedded_graphics::pixelcolor::Rgb565;
use embedded_graphics::prelude::*;
use embedded_graphics::primitives::Rectangle;
use embedded_graphics::text::{Baseline, Text};
use heapless::String;

/// Columns and rows that are drawn on.
pub const SIZE: Size = Size::new(240, 240);
/// The image's place.
pub const IMAGE: Rectangle = Rectangle::new(Point::zero(), Size::new(240, 192));
/// Where the text begins, and how many characters a line has.
const TEXT: i32 = 193;
const CHARACTERS: usize = 30;
/// Rows from one line of text to the next.
const LINE: usize = 13;
/// The bar.
const BAR: Rectangle = Rectangle::new(Point::new(0, 233), Size::new(240, 7));

const BACKGROUND: Rgb565 = Rgb565::BLACK;
const LETTERS: Rgb565 = Rgb565::new(29, 61, 31);
const DONE: Rgb565 = Rgb565::new(6, 48, 20);
const TO_DO: Rgb565 = Rgb565::new(6, 14, 8);

impl<P: Borrow<Pixels>> Drawable for Frame<'_, P> {
    type Color = Rgb565;
    type Output = ();

    fn draw<D: DrawTarget<Color = Rgb565>>(&self, target: &mut D) -> Result<(), D::Error> {
        let image = self.image.borrow();
        let size = Size::new(image.width() as u32, image.height() as u32);
        if size == Size::zero() {
            target.fill_solid(&IMAGE, BACKGROUND)?;
        } else {
            let zoom = (IMAGE.size.width / size.width.max(1)).min(IMAGE.size.height / size.height.max(1));
            let place = Rectangle::new(IMAGE.top_left + (IMAGE.size - size * zoom) / 2, size * zoom);
            target.fill_contiguous(&place, image.enlarged(zoom as usize))?;
        }
        let [seed, class, plan, step, time] = self.words::<CHARACTERS>();
        let lines: [String<CHARACTERS>; 3] = [seed, class, cut(format_args!("{plan}  {step}  {time}"))];
        let style = MonoTextStyleBuilder::new().font(&FONT_8X13).text_color(LETTERS).background_color(BACKGROUND);
        let style = style.build();
        for (text, row) in lines.iter().zip((TEXT..).step_by(LINE)) {
            // Spaces cover what a longer line has left.
            let text: String<CHARACTERS> = cut(format_args!("{text:CHARACTERS$}"));
            Text::with_baseline(&text, Point::new(0, row), style, Baseline::Top).draw(target)?;
        }
        let [done, rest] = [self.done(BAR.size.width), BAR.size.width - self.done(BAR.size.width)];
        target.fill_solid(&Rectangle::new(BAR.top_left, Size::new(done, BAR.size.height)), DONE)?;
        let corner = BAR.top_left + Size::new(done, 0);
        target.fill_solid(&Rectangle::new(corner, Size::new(rest, BAR.size.height)), TO_DO)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::demo::frame::{Note, Raster};
    use embedded_graphics::framebuffer::{buffer_size, Framebuffer};
    use embedded_graphics::image::GetPixel;
    use embedded_graphics::pixelcolor::raw::{LittleEndian, RawU16};
    use std::boxed::Box;
    use std::vec;
    use std::vec::Vec;

    type Screen = Framebuffer<Rgb565, RawU16, LittleEndian, 240, 240, { buffer_size::<Rgb565>(240, 240) }>;

    fn image(values: &[f32], shape: [usize; 3]) -> Pixels {
        let mut pixels = Pixels::blank();
        pixels.take(&mut values.iter().copied(), shape);
        pixels
    }

    fn frame(image: &Pixels) -> Frame<'_, Pixels> {
        Frame { image, seed: 7, class: "glasses", plan: "fast5", step: 2, steps: 5, micros: 812_000, note: Note::None }
    }

    fn drawn(frame: &Frame<Pixels>) -> Box<Screen> {
        let mut screen = Box::new(Screen::new());
        frame.draw(&mut *screen).unwrap();
        screen
    }

    fn at(screen: &Screen, x: usize, y: usize) -> Rgb565 {
        screen.pixel(Point::new(x as i32, y as i32)).unwrap()
    }

    fn rows(screen: &Screen, rows: core::ops::Range<usize>) -> Vec<Rgb565> {
        rows.flat_map(|y| (0..240).map(move |x| (x, y))).map(|(x, y)| at(screen, x, y)).collect()
    }

    /// 16×16 pixels are squares of 12 in the middle; an image of 28×28 has squares of 6.
    #[test]
    fn the_image_is_enlarged_in_the_middle() {
        for (side, zoom) in [(16, 12), (28, 6)] {
            let values: Vec<f32> = (0..side * side * 3).map(|index| [-1.0, 0.2, 1.0, 0.7, -0.4][index % 5]).collect();
            let pixels = image(&values, [side, side, 3]);
            let screen = drawn(&frame(&pixels));
            let small: Vec<_> = pixels.enlarged(1).collect();
            let [left, top] = [(240 - side * zoom) / 2, (192 - side * zoom) / 2];
            for (y, x) in (0..192).flat_map(|y| (0..240).map(move |x| (y, x))) {
                let inside = x >= left && y >= top && x < left + side * zoom && y < top + side * zoom;
                let expected = match inside {
                    true => small[(y - top) / zoom * side + (x - left) / zoom],
                    false => Rgb565::BLACK,
                };
                assert_eq!(at(&screen, x, y), expected, "{side} {x} {y}");
            }
        }
    }

    /// Before its first preview a draw shows nothing where the image of the draw before was, and its words alone.
    #[test]
    fn a_draw_covers_the_one_before() {
        let (blank, white) = (Pixels::blank(), image(&vec![1.0; 256], [16, 16, 1]));
        let long = Frame { seed: u64::MAX, class: "no-glasses+short+happy", step: 5, ..frame(&white) };
        let next = Frame { step: 0, ..frame(&blank) };
        let mut screen = drawn(&long);
        assert!(rows(&screen, 0..192) != rows(&drawn(&next), 0..192));
        next.draw(&mut *screen).unwrap();
        assert_eq!(rows(&screen, 0..240), rows(&drawn(&next), 0..240));
        assert!(rows(&screen, 0..192).iter().all(|&pixel| pixel == BACKGROUND));
    }

    /// Each word changes its line alone.
    #[test]
    fn every_word_has_its_place() {
        let blank = Pixels::blank();
        let before = frame(&blank);
        let changed = [
            (0, Frame { seed: 8, ..before }),
            (1, Frame { class: "none", ..before }),
            (2, Frame { plan: "ddim50", ..before }),
            (2, Frame { steps: 6, ..before }),
            (2, Frame { micros: 900_000, ..before }),
        ];
        let line = |screen: &Screen, n: usize| rows(screen, 193 + n * LINE..193 + (n + 1) * LINE);
        for (index, after) in changed {
            let [before, after] = [&before, &after].map(drawn);
            assert!((0..3).all(|n| (line(&before, n) != line(&after, n)) == (n == index)), "{index}");
        }
    }

    /// Two of five steps fill two fifths of the bar.
    #[test]
    fn the_bar_fills() {
        let blank = Pixels::blank();
        for (step, length) in [(0, 0), (2, 96), (5, 240)] {
            let row = rows(&drawn(&Frame { step, ..frame(&blank) }), 236..237);
            assert_eq!(row, [vec![DONE; length], vec![TO_DO; 240 - length]].concat());
        }
    }
}
