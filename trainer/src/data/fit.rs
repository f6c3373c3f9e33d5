//! Images of another size, and of other channels.
use super::options::{Background, Colour, Fit, Options, Size};
use crate::graph::Shape;
use crate::{Error, Result};
use image::imageops::FilterType;
use image::{DynamicImage, GrayImage, RgbImage};
use rayon::prelude::*;
use std::path::Path;

/// The kernel of scaling, whose support grows with the reduction: sharp, with little ringing.
const FILTER: FilterType = FilterType::CatmullRom;

/// `picture` (gray or RGB, opaque) in `size`; `border` is what `--fit pad` adds.
pub fn fitted(picture: DynamicImage, size: Size, fit: Fit, border: Background) -> DynamicImage {
    let (width, height) = (picture.width(), picture.height());
    let Size { width: to_width, height: to_height } = size;
    if (width, height) == (to_width, to_height) {
        return picture;
    }
    let scaled = |side: u32, by: u32, of: u32| (u64::from(side) * u64::from(by)).div_ceil(u64::from(of).max(1)) as u32;
    // Whether the picture is wider than the size, in proportion.
    let wider = u64::from(width) * u64::from(to_height) > u64::from(height) * u64::from(to_width);
    match fit {
        Fit::Stretch => picture.resize_exact(to_width, to_height, FILTER),
        Fit::Crop => {
            let (kept_width, kept_height) = match wider {
                true => (scaled(height, to_width, to_height).clamp(1, width), height),
                false => (width, scaled(width, to_height, to_width).clamp(1, height)),
            };
            let (left, top) = ((width - kept_width) / 2, (height - kept_height) / 2);
            picture.crop_imm(left, top, kept_width, kept_height).resize_exact(to_width, to_height, FILTER)
        }
        Fit::Pad => {
            let (inner_width, inner_height) = match wider {
                true => (to_width, scaled(height, to_width, width).clamp(1, to_height)),
                false => (scaled(width, to_height, height).clamp(1, to_width), to_height),
            };
            let inner = picture.resize_exact(inner_width, inner_height, FILTER);
            let border = DynamicImage::ImageRgb8(RgbImage::from_pixel(to_width, to_height, image::Rgb(border.0)));
            let mut canvas = match inner {
                DynamicImage::ImageLuma8(_) => DynamicImage::ImageLuma8(border.into_luma8()),
                _ => border,
            };
            let at = |to: u32, inner: u32| i64::from((to - inner) / 2);
            let (left, top) = (at(to_width, inner_width), at(to_height, inner_height));
            image::imageops::replace(&mut canvas, &inner, left, top);
            canvas
        }
    }
}

/// `picture` with one channel or three, as bytes.
pub fn channels(picture: DynamicImage, channels: usize) -> Vec<u8> {
    match channels {
        1 => picture.into_luma8().into_raw(),
        _ => picture.into_rgb8().into_raw(),
    }
}

/// The border of `--fit pad`.
pub fn border(options: &Options) -> Background {
    options.background.unwrap_or(Background::BLACK)
}

/// Images of bytes in the size and the channels that are asked for.
///
/// # Errors
/// Images that are neither gray nor RGB.
pub fn bytes(path: &Path, shape: Shape, bytes: Vec<u8>, options: &Options) -> Result<(Shape, Vec<u8>)> {
    let (Ok(width), Ok(height)) = (u32::try_from(shape.width), u32::try_from(shape.height)) else {
        return Err(Error::file(path, "holds images that are too large to scale"));
    };
    if shape.channels != 1 && shape.channels != 3 {
        let what = format!("has {} channels; --size and --colour work on gray (1) and RGB (3)", shape.channels);
        return Err(Error::file(path, what));
    }
    let size = options.size.unwrap_or(Size { width, height });
    let to_channels = match options.colour.unwrap_or_default() {
        Colour::Gray => 1,
        Colour::Rgb => 3,
        Colour::Keep => shape.channels,
    };
    let to = Shape::new(size.height as usize, size.width as usize, to_channels);
    let mut fitted_bytes = vec![0; bytes.len() / shape.len() * to.len()];
    let images = bytes.par_chunks_exact(shape.len()).zip(fitted_bytes.par_chunks_exact_mut(to.len()));
    images.for_each(|(image, out)| {
        let picture = match shape.channels {
            1 => GrayImage::from_raw(width, height, image.to_vec()).map(DynamicImage::ImageLuma8),
            _ => RgbImage::from_raw(width, height, image.to_vec()).map(DynamicImage::ImageRgb8),
        };
        if let Some(picture) = picture {
            let picture = fitted(picture, size, options.fit.unwrap_or_default(), border(options));
            out.copy_from_slice(&channels(picture, to_channels));
        }
    });
    Ok((to, fitted_bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Left half black, right half white.
    fn halves(width: u32, height: u32) -> DynamicImage {
        DynamicImage::ImageLuma8(GrayImage::from_fn(width, height, |x, _| {
            image::Luma([if x < width / 2 { 0 } else { 255 }])
        }))
    }

    #[test]
    fn images_are_cut_framed_or_distorted() {
        let size = Size { width: 4, height: 4 };
        let of = |picture, fit| channels(fitted(picture, size, fit, Background([90; 3])), 1);
        let rows = |row: [u8; 4]| row.repeat(4);
        // Of a wide one, the middle; of a high one, too.
        assert_eq!(of(halves(8, 4), Fit::Crop), rows([0, 0, 255, 255]));
        assert_eq!(of(halves(4, 8), Fit::Crop), rows([0, 0, 255, 255]));
        let padded = of(halves(8, 4), Fit::Pad);
        assert_eq!((&padded[..4], &padded[12..]), (&[90; 4][..], &[90; 4][..]));
        assert!(padded[4] < 20 && padded[7] > 235, "{padded:?}");
        let stretched = of(halves(16, 4), Fit::Stretch);
        assert!(stretched[0] < 20 && stretched[3] > 235 && stretched.len() == 16);
        assert_eq!(of(halves(4, 4), Fit::Crop), rows([0, 0, 255, 255]));
        for [width, height] in [[1, 1], [1, 900], [900, 1], [5, 3]] {
            for fit in [Fit::Crop, Fit::Pad, Fit::Stretch] {
                assert_eq!(of(halves(width, height), fit).len(), 16);
            }
        }
    }

    #[test]
    fn arrays_change_their_size_and_colour() {
        let options = Options { size: Some("2x1".parse().unwrap()), colour: Some(Colour::Rgb), ..Options::default() };
        let two = [[10; 16], [200; 16]].concat();
        let (shape, bytes) = bytes(Path::new("a"), Shape::new(4, 4, 1), two, &options).unwrap();
        assert_eq!((shape, bytes), (Shape::new(1, 2, 3), [[10; 6], [200; 6]].concat()));
        let error = super::bytes(Path::new("a"), Shape::new(1, 1, 2), vec![0; 2], &options).unwrap_err().to_string();
        assert!(error.contains("has 2 channels"), "{error}");
    }
}
