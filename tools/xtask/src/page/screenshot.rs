//! Screenshots for the book, made small.

use anyhow::{ensure, Context, Result};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter};
use std::path::Path;

/// Rewrites a browser's PNG without transparency and with a palette, for which colours are rounded as far as they must.
pub fn shrink(path: &Path) -> Result<()> {
    let say = || format!("cannot shrink {}", path.display());
    let mut reader = png::Decoder::new(BufReader::new(File::open(path).with_context(say)?)).read_info()?;
    let mut pixels = vec![0; reader.output_buffer_size().with_context(say)?];
    let info = reader.next_frame(&mut pixels).with_context(say)?;
    let channels = info.color_type.samples();
    ensure!(channels >= 3 && info.bit_depth == png::BitDepth::Eight, "{} is not in colours of 8 bits", path.display());
    let colours: Vec<[u8; 3]> = pixels.chunks_exact(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
    // With steps of 64 there are 125 colours at most.
    let (palette, indices) =
        [1, 2, 4, 8, 16, 32, 64].into_iter().find_map(|step| indexed(&colours, step)).with_context(say)?;
    let mut encoder = png::Encoder::new(BufWriter::new(File::create(path).with_context(say)?), info.width, info.height);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_palette(palette);
    encoder.set_filter(png::Filter::NoFilter);
    encoder.set_compression(png::Compression::High);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&indices)).with_context(say)
}

/// The palette, three bytes a colour, and each pixel's index in it, with levels that are `step` apart; `None` where these
/// are more than 256 colours.
fn indexed(colours: &[[u8; 3]], step: u16) -> Option<(Vec<u8>, Vec<u8>)> {
    let (mut palette, mut known) = (Vec::new(), BTreeMap::new());
    let nearest = |value: u8| ((u16::from(value) + step / 2) / step * step).min(255) as u8;
    let mut index = |colour: &[u8; 3]| {
        let rounded = colour.map(nearest);
        let next = known.len();
        let index = *known.entry(rounded).or_insert_with(|| {
            palette.extend(rounded);
            next
        });
        u8::try_from(index).ok()
    };
    let indices = colours.iter().map(&mut index).collect::<Option<Vec<u8>>>()?;
    Some((palette, indices))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Few colours stay as they are; of too many the nearest are one.
    #[test]
    fn colours_are_rounded_as_far_as_they_must() {
        let few = [[255, 130, 0], [9, 8, 7], [255, 130, 0]];
        assert_eq!(indexed(&few, 1).unwrap(), (vec![255, 130, 0, 9, 8, 7], vec![0, 1, 0]));
        let many: Vec<[u8; 3]> = (0..=255).flat_map(|a| [[a, 0, 0], [0, a, 0], [0, 0, a]]).collect();
        assert!(indexed(&many, 2).is_none());
        let (palette, indices) = indexed(&many, 4).unwrap();
        assert_eq!((palette.len(), indices.len()), (3 * (3 * 64 + 1), many.len()));
        assert_eq!(indexed(&[[255, 253, 1]], 8).unwrap().0, [255, 255, 0]);
    }

    /// A picture keeps its size and colours, and loses its transparency.
    #[test]
    fn a_picture_stays_what_it_was() {
        let path = std::env::temp_dir().join(format!("brownian-screenshot-{}.png", std::process::id()));
        let mut encoder = png::Encoder::new(File::create(&path).unwrap(), 2, 1);
        encoder.set_color(png::ColorType::Rgba);
        encoder.write_header().unwrap().write_image_data(&[255, 130, 0, 255, 9, 8, 7, 255]).unwrap();
        shrink(&path).unwrap();
        let mut decoder = png::Decoder::new(BufReader::new(File::open(&path).unwrap()));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        assert_eq!(reader.next_frame(&mut pixels).unwrap().width, 2);
        assert_eq!(pixels, [255, 130, 0, 9, 8, 7]);
        std::fs::remove_file(&path).unwrap();
    }
}
