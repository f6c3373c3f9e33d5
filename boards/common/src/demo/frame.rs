//! What a display shows: an image, and in words seed, class, plan, step and the time of a step. How it is drawn is the
//! display's: [`mono`](super::mono) in one bit a dot, `colour` (feature `colour`) in 16.

use super::dither::Dots;
use core::fmt::{self, Write};
use heapless::String;

/// An image in the form in which a display shows it.
pub trait Raster {
    /// Becomes nothing.
    fn clear(&mut self);

    /// Becomes the image `[height][width][channels]` of `values` in [−1, 1]; of a signal its [wave](super::wave).
    fn take(&mut self, values: &mut dyn Iterator<Item = f32>, shape: [usize; 3]);
}

/// An image that lies elsewhere.
impl<R: Raster> Raster for &mut R {
    fn clear(&mut self) {
        R::clear(self);
    }

    fn take(&mut self, values: &mut dyn Iterator<Item = f32>, shape: [usize; 3]) {
        R::take(self, values, shape);
    }
}

/// What a display says of the flash region of a model, while no step is made.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Note {
    /// Its model draws.
    #[default]
    None,
    /// It is empty: the built-in model draws.
    BuiltIn,
    /// Its model is larger than the region, or needs more RAM than there is; the built-in one draws, here and below.
    TooLarge,
    /// Its model is of another version of the format.
    BadFormat,
    /// It is damaged, or no model.
    BadModel,
}

impl Note {
    /// In words, ten characters at most.
    pub fn text(self) -> &'static str {
        match self {
            Self::None => "",
            Self::BuiltIn => "built in",
            Self::TooLarge => "too large",
            Self::BadFormat => "bad format",
            Self::BadModel => "bad model",
        }
    }
}

/// One picture of the display.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a, R = Dots> {
    /// The image.
    pub image: &'a R,
    /// Its seed.
    pub seed: u64,
    /// Its classes' names, or `none`.
    pub class: &'a str,
    /// The plan's name.
    pub plan: &'a str,
    /// Steps made.
    pub step: usize,
    /// Steps of the plan.
    pub steps: usize,
    /// Microseconds that the last step took.
    pub micros: u64,
    /// What is to be said while no step is made.
    pub note: Note,
}

impl<R> Frame<'_, R> {
    /// Seed, class, plan, step, and the time of the step or the note; each cut off after `N` characters. What does not
    /// fit is not shown; the serial line has it whole.
    pub fn words<const N: usize>(&self) -> [String<N>; 5] {
        // A number alone would say little.
        let is_number = self.class.bytes().all(|byte| byte.is_ascii_digit());
        let class = match self.class {
            "none" => ["no class", ""],
            class => [if is_number { "class " } else { "" }, class],
        };
        [
            cut(format_args!("seed {}", self.seed)),
            cut(format_args!("{}{}", class[0], class[1])),
            cut(format_args!("{}", self.plan)),
            cut(format_args!("{} of {}", self.step, self.steps)),
            match self.step {
                0 => cut(format_args!("{}", self.note.text())),
                _ => cut(format_args!("{}", Time(self.micros))),
            },
        ]
    }

    /// The part of `length` that a bar of progress has filled.
    pub fn done(&self, length: u32) -> u32 {
        length * self.step as u32 / self.steps.max(1) as u32
    }
}

/// A time in three digits and a unit.
struct Time(u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            micros @ ..1_000 => write!(f, "{micros} us"),
            micros @ ..1_000_000 => write!(f, "{} ms", micros / 1_000),
            micros @ ..10_000_000 => write!(f, "{}.{:02} s", micros / 1_000_000, micros / 10_000 % 100),
            micros => write!(f, "{} s", micros / 1_000_000),
        }
    }
}

/// Text, cut off where its place ends.
struct Cut<const N: usize>(String<N>);

impl<const N: usize> Write for Cut<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().for_each(|c| _ = self.0.push(c));
        Ok(())
    }
}

/// Text, cut off after `N` characters.
pub(super) fn cut<const N: usize>(text: fmt::Arguments) -> String<N> {
    let mut cut = Cut(String::new());
    // A cut never fails.
    _ = cut.write_fmt(text);
    cut.0
}

#[cfg(test)]
pub(super) mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// A frame before the first step.
    pub const FRAME: Frame = Frame {
        image: &Dots::blank(),
        seed: 7,
        class: "3",
        plan: "fast5",
        step: 0,
        steps: 5,
        micros: 0,
        note: Note::None,
    };

    /// Numbers are introduced, names are not; a note stands where later the time stands; all is cut.
    #[test]
    fn words_say_what_is_drawn() {
        assert_eq!(FRAME.words::<30>(), ["seed 7", "class 3", "fast5", "0 of 5", ""]);
        let named = Frame { class: "glasses+long", step: 2, micros: 812_345, note: Note::BadModel, ..FRAME };
        assert_eq!(named.words::<30>(), ["seed 7", "glasses+long", "fast5", "2 of 5", "812 ms"]);
        let first = Frame { class: "none", step: 0, seed: u64::MAX, ..named };
        assert_eq!(first.words::<10>(), ["seed 18446", "no class", "fast5", "0 of 5", "bad model"]);
    }

    /// Each note has words of its own that fit the smallest display.
    #[test]
    fn notes_fit_the_display() {
        let notes = [Note::BuiltIn, Note::TooLarge, Note::BadFormat, Note::BadModel];
        let words = notes.map(|note| Frame { note, ..FRAME }.words::<10>()[4].to_string());
        assert_eq!(words, ["built in", "too large", "bad format", "bad model"]);
    }

    #[test]
    fn bars_fill_step_by_step() {
        assert_eq!([0, 3, 5].map(|step| Frame { step, ..FRAME }.done(60)), [0, 36, 60]);
        assert_eq!(Frame { steps: 0, ..FRAME }.done(60), 0);
    }

    #[test]
    fn times_have_three_digits() {
        for (micros, text) in
            [(7, "7 us"), (812_345, "812 ms"), (1_234_567, "1.23 s"), (12_345_678, "12 s"), (0, "0 us")]
        {
            assert_eq!(Time(micros).to_string(), text);
        }
    }
}
