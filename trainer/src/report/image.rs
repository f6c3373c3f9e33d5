//! Samples as PNG and as text.
use crate::{Error, Result};
use std::path::Path;

/// Pixels of the border around every image of a grid, before enlargement.
const BORDER: usize = 1;

/// Writes `images` (HWC in [-1, 1], one after the other) as one PNG, `columns` a row, each pixel drawn
/// `zoom` × `zoom`. Images have one channel (gray) or three (RGB); of other numbers the first is drawn.
///
/// # Errors
/// A file that cannot be written.
pub fn write_grid(path: &Path, images: &[f32], shape: [usize; 3], columns: usize, zoom: usize) -> Result<()> {
    let bytes = grid(images, shape, columns, zoom).map_err(|e| Error::file(path, e))?;
    crate::files::write_atomically(path, &bytes)
}

/// The bytes of the PNG that [`write_grid`] writes.
///
/// # Errors
/// More pixels than a PNG can have.
pub fn grid(images: &[f32], shape: [usize; 3], columns: usize, zoom: usize) -> Result<Vec<u8>> {
    let [height, width, channels] = shape;
    let count = images.len() / (height * width * channels);
    let (columns, zoom) = (columns.clamp(1, count.max(1)), zoom.max(1));
    let rows = count.div_ceil(columns).max(1);
    let (cell_height, cell_width) = (height + BORDER, width + BORDER);
    let size = [(rows * cell_height + BORDER) * zoom, (columns * cell_width + BORDER) * zoom];
    let samples = if channels == 3 { 3 } else { 1 };
    let mut pixels = vec![96u8; size[0] * size[1] * samples];
    for (i, image) in images.chunks_exact(height * width * channels).enumerate() {
        let top = (i / columns * cell_height + BORDER) * zoom;
        let left = (i % columns * cell_width + BORDER) * zoom;
        for y in 0..height * zoom {
            for x in 0..width * zoom {
                let from = (y / zoom * width + x / zoom) * channels;
                let to = ((top + y) * size[1] + left + x) * samples;
                for c in 0..samples {
                    pixels[to + c] = byte(image[from + c]);
                }
            }
        }
    }
    let color = if samples == 3 { png::ColorType::Rgb } else { png::ColorType::Grayscale };
    encode([size[1], size[0]], color, &pixels)
}

/// Writes 8-bit pixels as a PNG, whole or not at all. `size` is width and height.
///
/// # Errors
/// A file that cannot be written.
pub fn write_png(path: &Path, size: [usize; 2], color: png::ColorType, pixels: &[u8]) -> Result<()> {
    let bytes = encode(size, color, pixels).map_err(|e| Error::file(path, e))?;
    crate::files::write_atomically(path, &bytes)
}

fn encode(size: [usize; 2], color: png::ColorType, pixels: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, size[0] as u32, size[1] as u32);
    encoder.set_color(color);
    encoder.set_depth(png::BitDepth::Eight);
    let encoded = encoder.write_header().and_then(|mut writer| writer.write_image_data(pixels));
    encoded.map_err(|e| Error::Invalid(format!("the image cannot be encoded: {e}")))?;
    Ok(bytes)
}

/// A value in [-1, 1] as a gray level.
fn byte(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round().clamp(0.0, 255.0) as u8
}

/// Gray levels as characters, dark to light.
const RAMP: &[u8] = b" .:-=+*#%@";

/// Images side by side as text, one character for two rows of pixels; of several channels the mean is drawn.
pub fn text(images: &[f32], shape: [usize; 3]) -> String {
    let [height, width, channels] = shape;
    let pixel = |image: &[f32], y: usize, x: usize| -> f32 {
        let values = &image[(y.min(height - 1) * width + x) * channels..][..channels];
        values.iter().sum::<f32>() / channels as f32
    };
    let mut lines = String::new();
    for y in (0..height).step_by(2) {
        for image in images.chunks_exact(height * width * channels) {
            for x in 0..width {
                let level = byte(0.5 * (pixel(image, y, x) + pixel(image, y + 1, x)));
                lines.push(RAMP[usize::from(level) * (RAMP.len() - 1) / 255] as char);
            }
            lines.push(' ');
        }
        lines.truncate(lines.trim_end().len());
        lines.push('\n');
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grid_holds_every_pixel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grid.png");
        let images: Vec<f32> = (0..3).flat_map(|i| vec![[-1.0f32, 0.0, 1.0][i]; 4]).collect();
        write_grid(&path, &images, [2, 2, 1], 2, 2).unwrap();
        let mut reader =
            png::Decoder::new(std::io::BufReader::new(std::fs::File::open(&path).unwrap())).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!((info.width, info.height), (14, 14));
        let count = |v: u8| pixels.iter().filter(|p| **p == v).count();
        assert_eq!([count(0), count(128), count(255)], [16, 16, 16]);
    }

    #[test]
    fn text_is_light_where_the_image_is() {
        let image = [-1.0, 1.0, -1.0, 1.0];
        assert_eq!(text(&image, [2, 2, 1]), " @\n");
        assert_eq!(text(&[image, image].concat(), [2, 2, 1]), " @  @\n");
    }
}
