//! An image in colour, of 16 bits a pixel.

use super::frame::Raster;
use super::wave;
use embedded_graphics::pixelcolor::{Gray8, Rgb565, Rgb888};

/// Rows and columns at most.
pub const SIDE: usize = 64;

/// An image of [`SIDE`]×[`SIDE`] pixels at most. Its 8 KB are too many for a stack: it lies in a static.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pixels {
    rows: [[Rgb565; SIDE]; SIDE],
    width: usize,
    height: usize,
}

impl Pixels {
    /// Nothing.
    pub const fn blank() -> Self {
        Self { rows: [[Rgb565::new(0, 0, 0); SIDE]; SIDE], width: 0, height: 0 }
    }

    /// Columns of pixels.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of pixels.
    pub fn height(&self) -> usize {
        self.height
    }

    /// The pixels row by row, each `zoom` wide and high.
    pub fn enlarged(&self, zoom: usize) -> impl Iterator<Item = Rgb565> + '_ {
        let rows = self.rows.iter().take(self.height).flat_map(move |row| core::iter::repeat_n(row, zoom));
        rows.flat_map(move |row| row.iter().take(self.width).flat_map(move |&pixel| core::iter::repeat_n(pixel, zoom)))
    }
}

/// The level 0 to 255 of a value in [−1, 1]: what `trainer sample --png` writes.
fn level(value: f32) -> u8 {
    // Conversion saturates, so any float is in range.
    ((value + 1.0) * 127.5 + 0.5) as u8
}

impl Raster for Pixels {
    fn clear(&mut self) {
        (self.width, self.height) = (0, 0);
    }

    /// Three channels are red, green and blue; of any other number the mean is a gray. An image of more pixels than there
    /// is room for is made smaller: only every so many rows and columns are kept. A signal is a [`wave`] in white.
    fn take(&mut self, values: &mut dyn Iterator<Item = f32>, [height, width, channels]: [usize; 3]) {
        if wave::is_signal([height, width, channels]) {
            (self.height, self.width) = (SIDE, SIDE);
            self.rows.iter_mut().for_each(|row| row.fill(Rgb565::new(0, 0, 0)));
            for (x, rows) in wave::columns(values, [width, channels], [SIDE; 2]).enumerate() {
                self.rows.get_mut(rows).into_iter().flatten().for_each(|row| row[x % SIDE] = Rgb565::new(31, 63, 31));
            }
            return;
        }
        let longest = height.max(width).max(1);
        let fit = |side: usize| if longest <= SIDE { side } else { (side * SIDE / longest).max(1) };
        (self.height, self.width) = (fit(height), fit(width));
        for y in 0..height {
            let lines = y * self.height / height..(y + 1) * self.height / height;
            for x in 0..width {
                let columns = x * self.width / width..(x + 1) * self.width / width;
                let pixel = pixel(values, channels);
                for row in self.rows.get_mut(lines.clone()).unwrap_or_default() {
                    row.get_mut(columns.clone()).unwrap_or_default().fill(pixel);
                }
            }
        }
    }
}

/// The next pixel.
fn pixel(values: &mut dyn Iterator<Item = f32>, channels: usize) -> Rgb565 {
    let mut next = || values.next().unwrap_or_default();
    match channels {
        3 => Rgb565::from(Rgb888::new(level(next()), level(next()), level(next()))),
        _ => Rgb565::from(Gray8::new(level((0..channels).map(|_| next()).sum::<f32>() / channels as f32))),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;
    use std::vec::Vec;

    fn pixels(values: &[f32], shape: [usize; 3]) -> Pixels {
        let mut pixels = Pixels::blank();
        pixels.take(&mut values.iter().copied(), shape);
        pixels
    }

    /// −1, 0 and 1 are none, half and all of a channel's 31 or 63 levels; what is beyond is clipped.
    #[test]
    fn three_channels_are_red_green_and_blue() {
        let found = pixels(&[1.0, -1.0, 0.0, -9.0, 9.0, f32::NAN], [2, 1, 3]);
        let expected = [Rgb565::new(31, 0, 16), Rgb565::new(0, 63, 0)];
        assert_eq!((found.width(), found.height()), (1, 2));
        assert_eq!(found.enlarged(1).collect::<Vec<_>>(), expected);
    }

    /// One channel is a gray, and so is the mean of two.
    #[test]
    fn other_channels_are_gray() {
        let half = Rgb565::new(16, 32, 16);
        assert_eq!(pixels(&[0.0], [1, 1, 1]).enlarged(1).collect::<Vec<_>>(), [half]);
        assert_eq!(pixels(&[1.0, -1.0], [1, 1, 2]).enlarged(1).collect::<Vec<_>>(), [half]);
    }

    /// Each pixel becomes a square.
    #[test]
    fn enlarges_by_a_whole_number() {
        let [black, white] = [Rgb565::new(0, 0, 0), Rgb565::new(31, 63, 31)];
        let found: Vec<_> = pixels(&[1.0, -1.0, -1.0, 1.0], [2, 2, 1]).enlarged(2).collect();
        let (first, second) = ([white, white, black, black], [black, black, white, white]);
        assert_eq!(found, [first, first, second, second].concat());
    }

    /// An image of one size takes the place of one of another; what is too large is thinned out.
    #[test]
    fn fits_any_shape() {
        let mut image = pixels(&vec![1.0; 64 * 64], [64, 64, 1]);
        image.take(&mut [1.0, 1.0].into_iter(), [2, 1, 1]);
        assert_eq!((image.width(), image.height(), image.enlarged(1).count()), (1, 2, 2));
        let found = pixels(&vec![1.0; 200 * 100], [100, 200, 1]);
        assert_eq!((found.width(), found.height()), (64, 32));
        assert!(found.enlarged(1).all(|pixel| pixel == Rgb565::new(31, 63, 31)));
        let found = pixels(&vec![1.0; 256], [256, 1, 1]);
        assert_eq!((found.width(), found.height()), (1, 64));
        image.clear();
        assert_eq!((image.width(), image.height(), image.enlarged(3).count()), (0, 0, 0));
        assert_eq!(pixels(&[], [0, 0, 0]), Pixels::blank());
    }
    /// A line at half the height, on a ground that has nothing left of what was there before.
    #[test]
    fn a_signal_is_a_waveform() {
        let mut image = pixels(&vec![1.0; 64 * 64], [64, 64, 1]);
        image.take(&mut [0.0; 4096].into_iter(), [1, 4096, 1]);
        let white = |pixel: &Rgb565| *pixel == Rgb565::new(31, 63, 31);
        assert!(image
            .rows
            .iter()
            .enumerate()
            .all(|(y, row)| row.iter().filter(|p| white(p)).count() == 64 * usize::from(y == 32)));
        assert_eq!((image.width(), image.height()), (64, 64));
    }
}
