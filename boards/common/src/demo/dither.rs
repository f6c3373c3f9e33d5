//! An image in dots that are light or dark.

use super::frame::Raster;
use super::wave;

/// A row of dots, a bit each.
#[cfg(not(feature = "small"))]
type Row = u64;
#[cfg(feature = "small")]
type Row = u32;

/// Rows and columns at most: 64, or [`SMALL`] with the feature `small`.
pub const SIDE: usize = Row::BITS as usize;
/// Rows and columns at most where RAM is scarce.
pub const SMALL: usize = 32;

/// Thresholds of ordered dithering (Bayer 1973), in 1/16.
const BAYER: [[u8; 4]; 4] = [[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]];

/// An image of [`SIDE`]×[`SIDE`] dots at most.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dots {
    rows: [Row; SIDE],
    width: usize,
    height: usize,
}

impl Dots {
    /// Nothing.
    pub const fn blank() -> Self {
        Self { rows: [0; SIDE], width: 0, height: 0 }
    }

    /// The image `[height][width][channels]` of `values` in [−1, 1]: enlarged by the largest whole number that leaves
    /// it within [`SIDE`] dots, or made smaller where it has more pixels, then dithered. The channels' mean counts. A
    /// signal is a [`wave`].
    pub fn of_image(values: impl Iterator<Item = f32>, shape: [usize; 3]) -> Self {
        Self::within(SIDE, values, shape)
    }

    /// [`of_image`](Self::of_image) within so many dots, [`SIDE`] at most.
    pub fn within(side: usize, mut values: impl Iterator<Item = f32>, [height, width, channels]: [usize; 3]) -> Self {
        if wave::is_signal([height, width, channels]) {
            return Self::of_signal(side.min(SIDE), values, [width, channels]);
        }
        let (most, longest) = (side.min(SIDE), height.max(width).max(1));
        let fit = |side: usize| if longest <= most { side * (most / longest) } else { (side * most / longest).max(1) };
        let mut dots = Self { rows: [0; SIDE], width: fit(width), height: fit(height) };
        for y in 0..height {
            for x in 0..width {
                let sum: f32 = values.by_ref().take(channels).sum();
                let light = (sum / channels as f32 + 1.0) * 0.5;
                let lines = y * dots.height / height..(y + 1) * dots.height / height;
                let columns = x * dots.width / width..(x + 1) * dots.width / width;
                dots.fill(lines, columns, light);
            }
        }
        dots
    }

    /// The waveform of a signal, over all of the square.
    #[inline(never)]
    fn of_signal(side: usize, values: impl Iterator<Item = f32>, signal: [usize; 2]) -> Self {
        let mut dots = Self { rows: [0; SIDE], width: side, height: side };
        for (x, rows) in wave::columns(values, signal, [side; 2]).enumerate() {
            dots.rows.get_mut(rows).into_iter().flatten().for_each(|row| *row |= 1 << (x % SIDE));
        }
        dots
    }

    /// Dithers one light, from 0 to 1, over some dots.
    fn fill(&mut self, lines: core::ops::Range<usize>, columns: core::ops::Range<usize>, light: f32) {
        // The share of dots is linear in light, the image is not: its gamma is about 2.
        let share = if light > 0.0 { light * light * 16.0 } else { 0.0 };
        for y in lines {
            let Some(row) = self.rows.get_mut(y) else { break };
            for x in columns.clone() {
                if share > f32::from(BAYER[y % 4][x % 4]) + 0.5 {
                    *row |= 1 << (x % SIDE);
                }
            }
        }
    }

    /// Columns of dots.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows of dots.
    pub fn height(&self) -> usize {
        self.height
    }

    /// Whether this dot is light; outside all are dark.
    pub fn is_light(&self, x: usize, y: usize) -> bool {
        x < self.width && self.rows.get(y).is_some_and(|row| row >> (x % SIDE) & 1 == 1)
    }

    /// The dots that are light, as (x, y).
    pub fn light(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let dots = (0..self.height).flat_map(|y| (0..self.width).map(move |x| (x, y)));
        dots.filter(|&(x, y)| self.is_light(x, y))
    }
}

impl Raster for Dots {
    fn clear(&mut self) {
        *self = Self::blank();
    }

    fn take(&mut self, values: &mut dyn Iterator<Item = f32>, shape: [usize; 3]) {
        *self = Self::of_image(values, shape);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec;

    /// 28×28 is shown at twice its size; white pixels are light throughout, black ones dark, whatever lies beyond.
    #[test]
    fn enlarges_by_a_whole_number() {
        let values = (0..784).map(|index| [-1.0, 1.0, -7.0, 7.0, f32::NAN][index % 5]);
        let dots = Dots::of_image(values, [28, 28, 1]);
        assert_eq!((dots.width(), dots.height()), (56, 56));
        for (y, x) in (0..56).flat_map(|y| (0..56).map(move |x| (y, x))) {
            let white = matches!((y / 2 * 28 + x / 2) % 5, 1 | 3);
            assert_eq!(dots.is_light(x, y), white, "{x} {y}");
        }
    }

    /// A grey of light 0.5 is a quarter of the dots: 0.5² of 16 thresholds, evenly.
    #[test]
    fn greys_are_shares_of_dots() {
        let dots = Dots::of_image(vec![0.0; 256].into_iter(), [16, 16, 1]);
        assert_eq!((dots.width(), dots.light().count()), (64, 64 * 64 / 4));
    }

    /// Channels are averaged; images larger than the field, or flat ones, fit into it.
    #[test]
    fn fits_any_shape() {
        let dots = Dots::of_image([1.0, -1.0, 1.0, 1.0, 1.0, 1.0].into_iter(), [2, 1, 3]);
        assert_eq!((dots.width(), dots.height()), (32, 64));
        assert!(dots.light().filter(|&(_, y)| y >= 32).count() == 32 * 32);
        let dots = Dots::of_image(vec![1.0; 200 * 100].into_iter(), [100, 200, 1]);
        assert_eq!((dots.width(), dots.height(), dots.light().count()), (64, 32, 64 * 32));
        let dots = Dots::of_image(vec![1.0; 256].into_iter(), [256, 1, 1]);
        assert_eq!((dots.width(), dots.height()), (1, 64));
        assert_eq!(Dots::of_image([].into_iter(), [0, 0, 0]), Dots::blank());
    }
    /// Silence is a line, a saw rises, both from end to end of the square.
    #[test]
    fn a_signal_is_a_waveform() {
        let silence = Dots::of_image([0.0; 4096].into_iter(), [1, 4096, 1]);
        assert_eq!((silence.width(), silence.height(), silence.light().count()), (SIDE, SIDE, SIDE));
        assert!((0..SIDE).all(|x| silence.is_light(x, SIDE / 2)));
        let saw = Dots::of_image((0..128).map(|index| index as f32 / 63.5 - 1.0), [1, 128, 1]);
        let highest = |x| (0..SIDE).find(|&y| saw.is_light(x, y)).unwrap();
        assert_eq!([highest(0), highest(SIDE / 2), highest(SIDE - 1)], [SIDE - 1, SIDE / 2 - 1, 0]);
        let small = Dots::within(SMALL, [1.0, -1.0].into_iter(), [1, 2, 1]);
        assert_eq!((small.width(), small.height(), small.light().count()), (SMALL, SMALL, SMALL));
    }
}
