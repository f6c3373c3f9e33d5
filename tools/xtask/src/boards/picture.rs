//! A display's rows as a PNG.

use super::script::colours;
use anyhow::{Context, Result};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

const LIT: [u8; 3] = [0xe8, 0xf4, 0xff];
const DARK: [u8; 3] = [0x0a, 0x10, 0x18];
/// Pixels of the picture's height.
pub const HEIGHT: usize = 256;
/// Times that a picture in colour is enlarged.
pub const ZOOM: usize = 2;

/// Writes the rows: `#` where a dot is lit, or how bright it is, from `0` to `7`.
pub fn write(path: &Path, rows: &[String]) -> Result<()> {
    let dot = HEIGHT / rows.len().max(1);
    encode(path, rows.first().map_or(0, String::len) * dot, &pixels(rows, dot))
}

/// Writes rows of pixels of four hexadecimal digits each, enlarged.
pub fn write_colour(path: &Path, rows: &[String]) -> Result<()> {
    let rows = rows.iter().map(|row| colours(row)).collect::<Result<Vec<_>>>()?;
    encode(path, rows.first().map_or(0, Vec::len) * ZOOM, &colour_pixels(&rows))
}

fn encode(path: &Path, width: usize, pixels: &[u8]) -> Result<()> {
    let say = || format!("cannot write {}", path.display());
    let file = BufWriter::new(File::create(path).with_context(say)?);
    let height = pixels.len() / (3 * width.max(1));
    let mut encoder = png::Encoder::new(file, width as u32, height as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels)).with_context(say)
}

/// RGB565 in red, green and blue of eight bits.
fn colour_pixels(rows: &[Vec<u16>]) -> Vec<u8> {
    let part = |pixel: u16, shift: u32, most: u16| ((pixel >> shift & most) * 255 / most) as u8;
    let rgb = |pixel: u16| [part(pixel, 11, 31), part(pixel, 5, 63), part(pixel, 0, 31)];
    let line = |row: &Vec<u16>| row.iter().flat_map(|&pixel| rgb(pixel).repeat(ZOOM)).collect::<Vec<u8>>();
    rows.iter().flat_map(|row| line(row).repeat(ZOOM)).collect()
}

/// Dots of `dot` pixels, the dark line between them among these.
fn pixels(rows: &[String], dot: usize) -> Vec<u8> {
    let end = dot - dot.div_ceil(4);
    let mut pixels = Vec::new();
    for row in rows {
        for y in 0..dot {
            for level in row.bytes().map(level) {
                for x in 0..dot {
                    let level = if x < end && y < end { level } else { 0 };
                    pixels.extend(
                        DARK.iter().zip(LIT).map(|(&dark, lit)| dark + (u16::from(lit - dark) * level / 7) as u8),
                    );
                }
            }
        }
    }
    pixels
}

/// From 0 to 7.
fn level(dot: u8) -> u16 {
    match dot {
        b'#' => 7,
        b'0'..=b'7' => (dot - b'0').into(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each pixel is four, of its colour.
    #[test]
    fn colours_are_spread() {
        let [red, cyan] = [[255, 0, 0], [0, 255, 255]];
        let row = [red, red, cyan, cyan].concat();
        assert_eq!(colour_pixels(&[vec![0xf800, 0x07ff]]), [row.clone(), row].concat());
    }

    /// A lit dot is three pixels wide and high, with a dark line behind it.
    #[test]
    fn dots_are_squares() {
        let pixels = pixels(&["#.".to_owned()], 4);
        assert_eq!(pixels.len(), 4 * 8 * 3);
        let lit = |x: usize, y: usize| pixels[(y * 8 + x) * 3] == LIT[0];
        for (x, y) in (0..4).flat_map(|y| (0..8).map(move |x| (x, y))) {
            assert_eq!(lit(x, y), x < 3 && y < 3, "{x} {y}");
        }
        let levels = super::pixels(&["0147".to_owned()], 4);
        assert!((0..3).all(|x| levels[12 * x] < levels[12 * (x + 1)]) && levels[36] == pixels[0]);
    }
}
