//! One picture from its file: PNG, JPEG, GIF (the first frame), BMP or WebP, of any depth and palette.
use super::options::{Background, Fit, Size};
use super::{fit, jpeg};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use std::path::Path;

/// Most pixels a side.
const MAX_SIDE: u32 = 1 << 15;
/// Most bytes of a picture while it is decoded.
const MAX_BYTES: u64 = 400 << 20;

/// What the header of a picture says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// The format of the file.
    pub format: ImageFormat,
    /// Size as it is shown.
    pub size: Size,
    /// Whether there is more than gray.
    pub colour: bool,
}

/// How a picture is to be.
#[derive(Clone, Copy, Debug)]
pub struct Wanted {
    /// Size.
    pub size: Size,
    /// How it gets this size.
    pub fit: Fit,
    /// Channels, 1 or 3.
    pub channels: usize,
    /// What lies behind transparent pixels.
    pub behind: Background,
    /// The border of [`Fit::Pad`].
    pub border: Background,
}

/// A picture as bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Decoded {
    /// HWC.
    pub bytes: Vec<u8>,
    /// Whether pixels were transparent.
    pub transparent: bool,
}

/// The name of a format.
pub fn name_of(format: ImageFormat) -> String {
    format!("{format:?}").to_uppercase()
}

/// Reads the header of a picture.
///
/// # Errors
/// What is wrong, in words that go on after the file's name.
pub fn header(path: &Path) -> Result<Header, String> {
    let (format, mut decoder) = decoder(path)?;
    let (width, height) = decoder.dimensions();
    let turned = matches!(
        decoder.orientation().unwrap_or(Orientation::NoTransforms),
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let size = if turned { Size { width: height, height: width } } else { Size { width, height } };
    Ok(Header { format, size, colour: decoder.color_type().has_color() })
}

/// Reads a picture as it is wanted.
///
/// # Errors
/// As [`header`].
pub fn decode(path: &Path, wanted: &Wanted) -> Result<Decoded, String> {
    let (picture, transparent) = opaque(path, wanted.behind)?;
    let picture = match (wanted.channels, picture) {
        (1, picture) => DynamicImage::ImageLuma8(picture.into_luma8()),
        (_, picture) => DynamicImage::ImageRgb8(picture.into_rgb8()),
    };
    let picture = fit::fitted(picture, wanted.size, wanted.fit, wanted.border);
    Ok(Decoded { bytes: fit::channels(picture, wanted.channels), transparent })
}

/// A picture of 8 bits, gray or RGB, turned as it is shown, and whether pixels were transparent.
fn opaque(path: &Path, behind: Background) -> Result<(DynamicImage, bool), String> {
    let (format, mut decoder) = decoder(path)?;
    if format == ImageFormat::Jpeg && !jpeg::is_whole(path).map_err(|e| format!("cannot be read: {e}"))? {
        return Err("is a broken JPEG: it is cut off, its end is missing".into());
    }
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut picture = DynamicImage::from_decoder(decoder).map_err(|e| broken(format, &e))?;
    picture.apply_orientation(orientation);
    if !picture.color().has_alpha() {
        return Ok(match picture.color().has_color() {
            true => (DynamicImage::ImageRgb8(picture.into_rgb8()), false),
            false => (DynamicImage::ImageLuma8(picture.into_luma8()), false),
        });
    }
    let gray = !picture.color().has_color();
    let pixels = picture.into_rgba8();
    let transparent = pixels.pixels().any(|pixel| pixel.0[3] < 255);
    let flat = image::RgbImage::from_fn(pixels.width(), pixels.height(), |x, y| {
        let [red, green, blue, alpha] = pixels.get_pixel(x, y).0.map(u32::from);
        let over = |c: u32, behind: u8| ((c * alpha + u32::from(behind) * (255 - alpha) + 127) / 255) as u8;
        image::Rgb([over(red, behind.0[0]), over(green, behind.0[1]), over(blue, behind.0[2])])
    });
    let flat = DynamicImage::ImageRgb8(flat);
    Ok((if gray { DynamicImage::ImageLuma8(flat.into_luma8()) } else { flat }, transparent))
}

/// One picture in its own size, gray or RGB, as HWC bytes: transparent pixels on white.
///
/// # Errors
/// As [`header`].
pub fn whole(path: &Path) -> Result<(Header, Vec<u8>), String> {
    let found = header(path)?;
    let (picture, _) = opaque(path, Background::WHITE)?;
    Ok((found, fit::channels(picture, if found.colour { 3 } else { 1 })))
}

fn decoder(path: &Path) -> Result<(ImageFormat, impl ImageDecoder), String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let found = std::fs::metadata(path).map_err(unreadable)?;
    if !found.is_file() {
        return Err("is no file".into());
    }
    if found.len() == 0 {
        return Err("is empty".into());
    }
    let mut reader = ImageReader::open(path).map_err(unreadable)?.with_guessed_format().map_err(unreadable)?;
    let format = reader.format().ok_or_else(|| unknown(path))?;
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(2 * MAX_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(|e| broken(format, &e))?;
    if decoder.total_bytes() > MAX_BYTES {
        let (width, height) = decoder.dimensions();
        return Err(format!("is too large: {width}x{height} pixels; make it smaller first"));
    }
    Ok((format, decoder))
}

fn broken(format: ImageFormat, error: &image::ImageError) -> String {
    match error {
        image::ImageError::Limits(_) => {
            format!("is too large: sides of at most {MAX_SIDE} pixels and {} MB can be read", MAX_BYTES >> 20)
        }
        image::ImageError::Unsupported(_) if !format.reading_enabled() => {
            format!("is a {}, which cannot be read; convert it to PNG", name_of(format))
        }
        image::ImageError::Unsupported(_) => format!("is a {} of a kind that cannot be read: {error}", name_of(format)),
        _ => format!("is a broken {}: {error}", name_of(format)),
    }
}

/// What is said of a file that is no picture.
fn unknown(path: &Path) -> String {
    let empty = std::fs::metadata(path).is_ok_and(|found| found.len() == 0);
    match path.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
        _ if empty => "is empty".into(),
        Some(other @ ("tif" | "tiff" | "heic" | "heif" | "avif" | "svg" | "jxl" | "ico" | "tga" | "psd")) => {
            format!("is named as a {}, which cannot be read; convert it to PNG or JPEG", other.to_uppercase())
        }
        _ => "is no image: PNG, JPEG, GIF, BMP and WebP can be read".into(),
    }
}
