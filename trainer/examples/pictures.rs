//! Data as people have them, made of the built-in sets: `cargo run --release -p brownian-trainer --features examples --example pictures`.
//!
//! - `pictures/faces/`: 4,000 faces as JPEGs of many sizes, in the class folders `glasses` and `no-glasses`;
//! - `pictures/bits/`: 2,000 digits as PNGs of one bit a pixel, without labels;
//! - `pictures/faces.npz`: 4,000 faces, channels first, as floats from 0 to 1, with their labels.

use brownian_trainer::data::{digits, faces16, Dataset};
use image::imageops::FilterType;
use image::{DynamicImage, RgbImage};
use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;

/// Faces that are written.
const FACES: usize = 4000;
/// Digits that are written.
const DIGITS: usize = 2000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new("pictures");
    let faces = faces16::train()?;
    jpegs(&folder.join("faces"), &faces)?;
    single_bits(&folder.join("bits"), &digits::train()?)?;
    npz(&folder.join("faces.npz"), &faces)
}

fn byte(value: f32) -> u8 {
    ((value + 1.0) * 127.5).round() as u8
}

fn jpegs(folder: &Path, faces: &Dataset) -> Result<(), Box<dyn Error>> {
    let labels = faces.labels.as_ref().ok_or("faces have labels")?;
    let glasses = &labels.axes[0].classes;
    for class in glasses {
        fs::create_dir_all(folder.join(class))?;
    }
    for i in 0..FACES {
        let pixels = faces.image(i).iter().map(|v| byte(*v)).collect();
        let face = RgbImage::from_raw(16, 16, pixels).ok_or("faces are RGB")?;
        let (width, height) = (48 + i as u32 % 17, 48 + i as u32 % 11);
        let face = DynamicImage::ImageRgb8(face).resize_exact(width, height, FilterType::CatmullRom);
        let class = &glasses[usize::from(labels.of(i)[0])];
        face.save(folder.join(class).join(format!("{i:04}.jpg")))?;
    }
    Ok(())
}

fn single_bits(folder: &Path, digits: &Dataset) -> Result<(), Box<dyn Error>> {
    fs::create_dir_all(folder)?;
    for i in 0..DIGITS {
        let mut encoder = png::Encoder::new(fs::File::create(folder.join(format!("{i:04}.png")))?, 28, 28);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let image = digits.image(i);
        let rows = image.chunks_exact(28).flat_map(|row| {
            row.chunks(8).map(|bits| bits.iter().enumerate().map(|(k, v)| u8::from(*v > 0.0) << (7 - k)).sum())
        });
        encoder.write_header()?.write_image_data(&rows.collect::<Vec<u8>>())?;
    }
    Ok(())
}

fn npz(path: &Path, faces: &Dataset) -> Result<(), Box<dyn Error>> {
    use npyz::WriterBuilder;
    let labels = faces.labels.as_ref().ok_or("faces have labels")?;
    let mut zip = zip::ZipWriter::new(fs::File::create(path)?);
    let options = zip::write::SimpleFileOptions::default();
    let mut array = Vec::new();
    let shape = [FACES as u64, 3, 16, 16];
    let mut writer = npyz::WriteOptions::new().default_dtype().shape(&shape).writer(&mut array).begin_nd()?;
    for i in 0..FACES {
        let image = faces.image(i);
        for k in 0..3 {
            image.iter().skip(k).step_by(3).try_for_each(|v| writer.push(&((v + 1.0) / 2.0)))?;
        }
    }
    writer.finish()?;
    zip.start_file("images.npy", options)?;
    zip.write_all(&array)?;
    let mut array = Vec::new();
    let mut writer =
        npyz::WriteOptions::new().default_dtype().shape(&[FACES as u64, 3]).writer(&mut array).begin_nd()?;
    (0..FACES).try_for_each(|i| labels.of(i).iter().try_for_each(|class| writer.push(class)))?;
    writer.finish()?;
    zip.start_file("labels.npy", options)?;
    zip.write_all(&array)?;
    zip.finish()?;
    Ok(())
}
