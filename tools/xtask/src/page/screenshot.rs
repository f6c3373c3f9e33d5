//! Screenshots for the book, made small.

use anyhow::{ensure, Context, Result};
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

/// Rewrites a browser's PNG with 32 levels of each colour and without transparency, as small as it gets.
pub fn shrink(path: &Path) -> Result<()> {
    let say = || format!("cannot shrink {}", path.display());
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).with_context(say)?)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().with_context(say)?];
    let info = reader.next_frame(&mut pixels).with_context(say)?;
    let channels = info.color_type.samples();
    ensure!(channels >= 3 && info.bit_depth == png::BitDepth::Eight, "{} is not in colours of 8 bits", path.display());
    let colours: Vec<u8> =
        pixels.chunks_exact(channels).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]].map(rounded)).collect();
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path).with_context(say)?), info.width, info.height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&colours)).with_context(say)
}

/// The nearest level below, black and white being levels.
fn rounded(value: u8) -> u8 {
    value & 0xf8 | value >> 5
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Size and colours stay but for their last bits, transparency goes.
    #[test]
    fn a_picture_stays_what_it_was() {
        let path = std::env::temp_dir().join(format!("brownian-screenshot-{}.png", std::process::id()));
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&[255, 130, 0, 255, 9, 8, 7, 255]).unwrap();
        shrink(&path).unwrap();
        let mut reader = png::Decoder::new(BufReader::new(File::open(&path).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        assert_eq!(reader.next_frame(&mut pixels).unwrap().width, 2);
        assert_eq!(pixels, [255, 132, 0, 8, 8, 0]);
        std::fs::remove_file(&path).unwrap();
    }
}
