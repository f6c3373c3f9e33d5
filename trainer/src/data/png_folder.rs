//! A folder of PNGs of one size, gray or RGB, in the order of their names.
use super::dataset::Dataset;
use crate::graph::Shape;
use crate::{Error, Result};
use png::{BitDepth, ColorType, Decoder, Transformations};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Reads every `.png` of a folder; other files are left alone.
pub fn read(folder: &Path) -> Result<Dataset> {
    let unreadable = |e: std::io::Error| Error::file(folder, format!("cannot be read: {e}"));
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("png")) {
            paths.push(path);
        }
    }
    paths.sort();
    let Some(first) = paths.first() else {
        return Err(Error::file(folder, "holds no images: no file ends in .png"));
    };
    let (shape, _) = image(first)?;
    let mut images = Vec::with_capacity(paths.len() * shape.len());
    for path in &paths {
        let (found, pixels) = image(path)?;
        if found != shape {
            let name = first.file_name().unwrap_or_default().to_string_lossy();
            return Err(Error::file(
                path,
                format!("is {found}, but {name} is {shape}; all images must have one size and kind"),
            ));
        }
        images.extend(pixels);
    }
    Dataset::checked(folder, shape, images, None)
}

/// Shape and bytes of one image.
pub(super) fn image(path: &Path) -> Result<(Shape, Vec<u8>)> {
    let broken = |e: png::DecodingError| Error::file(path, format!("is not a readable PNG ({e})"));
    let file = File::open(path).map_err(|e| Error::file(path, format!("cannot be read: {e}")))?;
    let mut decoder = Decoder::new(BufReader::new(file));
    decoder.set_transformations(Transformations::EXPAND);
    let mut reader = decoder.read_info().map_err(broken)?;
    let channels = match reader.output_color_type() {
        (ColorType::Grayscale, BitDepth::Eight) => 1,
        (ColorType::Rgb, BitDepth::Eight) => 3,
        (kind, depth) => {
            return Err(Error::file(path, format!("is {kind:?} of {} bits; use gray or RGB of 8 bits", depth as u8)));
        }
    };
    let size = reader.output_buffer_size().ok_or_else(|| Error::file(path, "is too large"))?;
    let mut pixels = vec![0; size];
    let info = reader.next_frame(&mut pixels).map_err(broken)?;
    pixels.truncate(info.buffer_size());
    Ok((Shape::new(info.height as usize, info.width as usize, channels), pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, width: u32, height: u32, color: ColorType, depth: BitDepth, pixels: &[u8]) {
        let mut encoder = png::Encoder::new(File::create(path).unwrap(), width, height);
        encoder.set_color(color);
        encoder.set_depth(depth);
        encoder.write_header().unwrap().write_image_data(pixels).unwrap();
    }

    fn reason(folder: &Path) -> String {
        Dataset::open(folder.to_str().unwrap()).unwrap_err().to_string()
    }

    #[test]
    fn reads_gray_and_rgb_in_order() {
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("b.png"), 2, 1, ColorType::Grayscale, BitDepth::Eight, &[0, 255]);
        write(&folder.path().join("a.PNG"), 2, 1, ColorType::Grayscale, BitDepth::Eight, &[255, 255]);
        std::fs::write(folder.path().join("notes.txt"), "not an image").unwrap();
        let set = Dataset::open(folder.path().to_str().unwrap()).unwrap();
        assert_eq!((set.shape, set.images.to_vec()), (Shape::new(1, 2, 1), vec![1.0, 1.0, -1.0, 1.0]));
        let folder = tempfile::tempdir().unwrap();
        write(&folder.path().join("a.png"), 1, 2, ColorType::Rgb, BitDepth::Eight, &[0, 255, 0, 255, 0, 255]);
        assert_eq!(Dataset::open(folder.path().to_str().unwrap()).unwrap().shape, Shape::new(2, 1, 3));
    }

    #[test]
    fn says_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        assert!(reason(path).contains("holds no images"));
        write(&path.join("a.png"), 2, 1, ColorType::Grayscale, BitDepth::Eight, &[0, 255]);
        write(&path.join("b.png"), 1, 1, ColorType::Grayscale, BitDepth::Eight, &[0]);
        assert!(reason(path).contains("b.png: is 1x1x1, but a.png is 1x2x1"));
        write(&path.join("b.png"), 1, 1, ColorType::Rgba, BitDepth::Eight, &[0; 4]);
        assert!(reason(path).contains("use gray or RGB of 8 bits"));
        std::fs::write(path.join("b.png"), "nonsense").unwrap();
        assert!(reason(path).contains("b.png: is not a readable PNG"));
        assert!(reason(&path.join("a.png")).contains("give the folder"));
    }
}
