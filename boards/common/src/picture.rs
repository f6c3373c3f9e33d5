//! Images as text.

use brownian::StateElement;
use core::fmt;

/// From dark to bright.
const RAMP: &[u8; 10] = b" .:-=+*#%@";

/// An image that [`Display`](fmt::Display) draws with one line a row and two characters a pixel.
#[derive(Debug, Clone, Copy)]
pub struct Picture<'a, E = f32> {
    pixels: &'a [E],
    shape: [usize; 3],
}

impl<'a, E: StateElement> Picture<'a, E> {
    /// Of the state `pixels`, whose values are of `shape`, `[height, width, channels]`, in [−1, 1].
    pub fn new(pixels: &'a [E], shape: [usize; 3]) -> Self {
        Self { pixels, shape }
    }

    /// The rows, top to bottom.
    pub fn rows(self) -> impl Iterator<Item = Row<'a, E>> {
        (0..self.shape[0]).map(move |row| Row { picture: self, row })
    }
}

impl<E: StateElement> fmt::Display for Picture<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.rows().try_for_each(|row| writeln!(f, "{row}"))
    }
}

/// One row of a picture.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a, E = f32> {
    picture: Picture<'a, E>,
    row: usize,
}

impl<E: StateElement> fmt::Display for Row<'_, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Picture { pixels, shape: [_, width, channels] } = self.picture;
        (self.row * width..(self.row + 1) * width).try_for_each(|pixel| {
            let values = (pixel * channels..(pixel + 1) * channels).map(|index| E::value(pixels, index));
            let mean = values.sum::<f32>() / channels as f32;
            // Conversion saturates, so any float is in range.
            let level = (((mean + 1.0) * 5.0) as usize).min(RAMP.len() - 1);
            let c = char::from(RAMP[level]);
            write!(f, "{c}{c}")
        })
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// −1 is the darkest of ten levels, 1 the brightest, 0 the sixth; values beyond are clipped.
    #[test]
    fn draws_rows() {
        let picture = Picture::new(&[-1.0, 0.0, 1.0, -9.0, 9.0, f32::NAN], [2, 3, 1]);
        assert_eq!(picture.to_string(), "  ++@@\n  @@  \n");
    }

    /// The mean of a pixel's channels counts.
    #[test]
    fn averages_channels() {
        assert_eq!(Picture::new(&[-1.0, 1.0, 0.0], [1, 1, 3]).to_string(), "++\n");
    }
}
