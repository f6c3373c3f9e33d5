//! A picture on few LEDs: five rows of five, each of some brightness; and the same picture as text.

use super::dither::{Dots, SMALL};
use super::frame::{Frame, Note};
use core::array;
use heapless::String;

/// Rows and columns of LEDs.
pub const SIDE: usize = 5;
/// The brightest level; 0 is dark.
pub const BRIGHTEST: u8 = 7;

/// Columns and rows of dots that one character stands for: of an image wider than [`SMALL`], and of others.
const CHARACTER: [[usize; 2]; 2] = [[2, 4], [1, 2]];
/// From dark to light.
const RAMP: &[u8; 9] = b" .:-=+*#@";

/// How many of the dots in a rectangle are light.
fn light(dots: &Dots, lines: core::ops::Range<usize>, columns: core::ops::Range<usize>) -> usize {
    lines.map(|y| columns.clone().filter(|&x| dots.is_light(x, y)).count()).sum()
}

/// A level for each LED, row by row: its share of the picture's light, the lightest LED being the brightest.
#[inline(never)]
pub fn levels(dots: &Dots) -> [[u8; SIDE]; SIDE] {
    let part = |index: usize, side: usize| index * side / SIDE..(index + 1) * side / SIDE;
    let mut lit = [[0; SIDE]; SIDE];
    for (y, row) in lit.iter_mut().enumerate() {
        for (x, count) in row.iter_mut().enumerate() {
            *count = light(dots, part(y, dots.height()), part(x, dots.width()));
        }
    }
    let most = lit.iter().flatten().copied().max().unwrap_or(0).max(1);
    lit.map(|row| row.map(|count| ((count * usize::from(BRIGHTEST) + most / 2) / most) as u8))
}

/// The levels of a frame: before its first step its note, as a sign, then its image.
pub fn shown(frame: &Frame<'_>) -> [[u8; SIDE]; SIDE] {
    match frame.step {
        0 => sign(frame.note),
        _ => levels(frame.image),
    }
}

/// A dot in the middle where the built-in model draws since its region is empty, a cross where the region cannot be used.
#[inline(never)]
pub fn sign(note: Note) -> [[u8; SIDE]; SIDE] {
    let is_lit = |x: usize, y: usize| match note {
        Note::None => false,
        Note::BuiltIn => [x, y] == [SIDE / 2; 2],
        Note::TooLarge | Note::BadFormat | Note::BadModel => x == y || x + y == SIDE - 1,
    };
    array::from_fn(|y| array::from_fn(|x| if is_lit(x, y) { BRIGHTEST } else { 0 }))
}

/// The picture as lines of text, at most 32 characters by 16.
pub fn lines(dots: &Dots) -> impl Iterator<Item = String<32>> + '_ {
    let [_, high] = character(dots);
    (0..dots.height().div_ceil(high)).map(|row| line(dots, row))
}

/// Columns and rows of dots that a character of this picture stands for.
fn character(dots: &Dots) -> [usize; 2] {
    CHARACTER[usize::from(dots.width() <= SMALL)]
}

/// One of the lines. Not inlined: what it needs on the stack is not to stand there while a network is evaluated.
#[inline(never)]
fn line(dots: &Dots, row: usize) -> String<32> {
    let [wide, high] = character(dots);
    (0..dots.width().div_ceil(wide))
        .map(|column| {
            let count = light(dots, row * high..(row + 1) * high, column * wide..(column + 1) * wide);
            let level = count * (RAMP.len() - 1) / (wide * high);
            char::from(RAMP[level.min(RAMP.len() - 1)])
        })
        .collect()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A picture of 5×5 pixels is itself: white is the brightest, black is dark, the grey of a quarter of the dots is a
    /// quarter of 7, rounded.
    #[test]
    fn pixels_become_leds() {
        let value = |index: usize| [1.0, -1.0, 0.0][index % 3];
        let found = levels(&Dots::of_image((0..25).map(value), [5, 5, 1]));
        for (index, level) in found.iter().flatten().enumerate() {
            // A pixel's 12×12 dots are whole periods of the dither.
            assert_eq!(*level, [7, 0, 2][index % 3], "{index}");
        }
    }

    /// The lightest is the brightest, however dark it is; nothing at all is dark.
    #[test]
    fn a_dark_picture_is_seen() {
        let dim = levels(&Dots::of_image((0..25).map(|index| if index == 7 { -0.4 } else { -1.0 }), [5, 5, 1]));
        assert_eq!((dim[1][2], dim.iter().flatten().filter(|&&level| level > 0).count()), (7, 1));
        assert_eq!(levels(&Dots::blank()), [[0; 5]; 5]);
    }

    /// Before the first step the note is shown, whatever the image; afterwards the image.
    #[test]
    fn notes_are_signs() {
        let image = Dots::of_image(core::iter::repeat_n(1.0, 784), [28, 28, 1]);
        let (seed, steps, micros) = (1, 5, 0);
        let of = |note, step| Frame { image: &image, seed, class: "0", plan: "fast5", step, steps, micros, note };
        let dot = |rows: [&str; SIDE]| rows.map(|row| core::array::from_fn(|x| row.as_bytes()[x] - b'0'));
        assert_eq!(shown(&of(Note::None, 0)), [[0; SIDE]; SIDE]);
        assert_eq!(shown(&of(Note::BuiltIn, 0)), dot(["00000", "00000", "00700", "00000", "00000"]));
        for note in [Note::TooLarge, Note::BadFormat, Note::BadModel] {
            assert_eq!(shown(&of(note, 0)), dot(["70007", "07070", "00700", "07070", "70007"]));
            assert_eq!(shown(&of(note, 1)), levels(&image));
        }
    }

    /// Two columns and four rows of dots are a character: white columns are `@`, black ones blank.
    #[test]
    fn dots_become_text() {
        let striped = Dots::of_image((0..784).map(|index| if index % 2 == 0 { 1.0 } else { -1.0 }), [28, 28, 1]);
        let text: Vec<_> = lines(&striped).collect();
        assert_eq!(text.len(), 14);
        assert!(text.iter().all(|line| **line == *"@ ".repeat(14)), "{text:?}");
        assert_eq!(lines(&Dots::blank()).count(), 0);
    }

    /// Of an image with a dot a pixel, as boards with little RAM have it, one column and two rows are a character.
    #[test]
    fn few_dots_become_as_much_text() {
        let value = |index: usize| if index.is_multiple_of(2) || index / 28 % 4 == 3 { 1.0 } else { -1.0 };
        let dots = Dots::within(SMALL, (0..784).map(value), [28, 28, 1]);
        assert_eq!((dots.width(), dots.height()), (28, 28));
        let text: Vec<_> = lines(&dots).collect();
        assert_eq!(text.len(), 14);
        assert_eq!((&*text[0], &*text[1]), (&*"@ ".repeat(14), &*"@=".repeat(14)));
    }
}
