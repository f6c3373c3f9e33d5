//! A display's rows as a PNG.

use anyhow::{Context, Result};
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

const LIT: [u8; 3] = [0xe8, 0xf4, 0xff];
const DARK: [u8; 3] = [0x0a, 0x10, 0x18];
/// Pixels of a dot, the dark line between dots among them.
const DOT: usize = 4;

/// Writes the rows, `#` where a dot is lit.
pub fn write(path: &Path, rows: &[String]) -> Result<()> {
    let pixels = pixels(rows);
    let say = || format!("cannot write {}", path.display());
    let file = BufWriter::new(File::create(path).with_context(say)?);
    let width = rows.first().map_or(0, String::len) * DOT;
    let mut encoder = png::Encoder::new(file, width as u32, (rows.len() * DOT) as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&pixels)).with_context(say)
}

fn pixels(rows: &[String]) -> Vec<u8> {
    let mut pixels = Vec::new();
    for row in rows {
        for y in 0..DOT {
            for dot in row.bytes() {
                for x in 0..DOT {
                    let is_lit = dot == b'#' && x < DOT - 1 && y < DOT - 1;
                    pixels.extend(if is_lit { LIT } else { DARK });
                }
            }
        }
    }
    pixels
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A lit dot is three pixels wide and high, with a dark line behind it.
    #[test]
    fn dots_are_squares() {
        let pixels = pixels(&["#.".to_owned()]);
        assert_eq!(pixels.len(), 4 * 8 * 3);
        let lit = |x: usize, y: usize| pixels[(y * 8 + x) * 3] == LIT[0];
        for (x, y) in (0..4).flat_map(|y| (0..8).map(move |x| (x, y))) {
            assert_eq!(lit(x, y), x < 3 && y < 3, "{x} {y}");
        }
    }
}
