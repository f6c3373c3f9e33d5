//! Which axis of an array is which.
use super::options::Layout;
use crate::graph::Shape;
use crate::{Error, Result};
use std::path::Path;

/// Channels that images usually have at most.
const FEW: usize = 4;
/// The shortest side by which the square of an image is known.
const SIDE: usize = 8;

impl Layout {
    /// Number of axes.
    fn rank(self) -> usize {
        match self {
            Self::Nhw | Self::Hwn | Self::Hwc => 3,
            Self::Nhwc | Self::Nchw | Self::Hwcn => 4,
        }
    }

    /// The axes in the order N, H, W, C, as far as they are there.
    pub fn order(self) -> &'static [usize] {
        match self {
            Self::Nhw | Self::Hwc => &[0, 1, 2],
            Self::Nhwc => &[0, 1, 2, 3],
            Self::Nchw => &[0, 2, 3, 1],
            Self::Hwn => &[2, 0, 1],
            Self::Hwcn => &[3, 0, 1, 2],
        }
    }

    /// Number and shape of the images in an array of `sizes`, which has `Self::rank` axes.
    pub fn images(self, sizes: &[usize]) -> (usize, Shape) {
        let at = |k: usize| self.order().get(k).map_or(1, |axis| sizes[*axis]);
        match self {
            Self::Hwc => (1, Shape::new(sizes[0], sizes[1], sizes[2])),
            _ => (at(0), Shape::new(at(1), at(2), at(3))),
        }
    }
}

/// The layout of an array of `sizes`: as it is asked for, or as its sizes tell.
///
/// # Errors
/// A number of axes that images do not have, and sizes that may be read in several ways.
pub fn layout(path: &Path, sizes: &[usize], asked: Option<Layout>) -> Result<Layout> {
    use Layout::{Hwc, Hwcn, Hwn, Nchw, Nhw, Nhwc};
    if sizes.len() != 3 && sizes.len() != 4 {
        return Err(Error::file(
            path,
            format!(
                "has {} axes; images have 3 (N, H, W) or 4 (N, H, W, C), signals are images of height 1",
                sizes.len()
            ),
        ));
    }
    if let Some(layout) = asked {
        if layout.rank() != sizes.len() {
            let what = format!("has {} axes, --layout {} names {}", sizes.len(), name(layout), layout.rank());
            return Err(Error::file(path, what));
        }
        return Ok(layout);
    }
    let candidates: &[Layout] = match *sizes {
        [_, b, c] if b == c => &[Nhw],
        [a, b, c] if a == b && a >= SIDE => {
            if c <= FEW {
                &[Hwc, Hwn, Nhw]
            } else {
                &[Hwn, Nhw]
            }
        }
        [_, b, c] if c <= FEW && b >= SIDE => &[Hwc, Nhw],
        [_, _, _] => &[Nhw],
        [n, a, b, _] if n == a && b <= FEW && n >= SIDE => &[Hwcn, Nhwc, Nchw],
        [_, 2..=FEW, _, 2..=FEW] => &[Nhwc, Nchw],
        [_, _, _, c] if c <= FEW => &[Nhwc],
        [_, 1, 1, _] => &[Nhwc, Nchw],
        [_, 1, b, c] if b != c && c <= 4 * FEW => &[Nhwc, Nchw],
        [_, a, b, _] if a <= FEW && b > FEW => &[Nchw],
        // Many channels, which stand last where the other two are those of a square.
        [_, a, b, c] if a == b && b != c => &[Nhwc],
        _ => &[Nhwc, Nchw],
    };
    match candidates {
        [layout] => Ok(*layout),
        several => {
            let ways: Vec<String> = several
                .iter()
                .map(|layout| {
                    let (count, shape) = layout.images(sizes);
                    format!("{count} of {shape} (--layout {})", name(*layout))
                })
                .collect();
            let sizes = sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ");
            Err(Error::file(
                path,
                format!("has the shape ({sizes}), which may be images {}; say which", ways.join(" or ")),
            ))
        }
    }
}

fn name(layout: Layout) -> String {
    use clap::ValueEnum;
    layout.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_told_apart_or_asked_for() {
        let of = |sizes: &[usize]| layout(Path::new("a.npy"), sizes, None);
        for (sizes, expected, count, shape) in [
            (&[300, 28, 28][..], Layout::Nhw, 300, Shape::new(28, 28, 1)),
            (&[300, 24, 16], Layout::Nhw, 300, Shape::new(24, 16, 1)),
            (&[16, 16, 16], Layout::Nhw, 16, Shape::new(16, 16, 1)),
            (&[2, 1, 2], Layout::Nhw, 2, Shape::new(1, 2, 1)),
            (&[40, 1, 640], Layout::Nhw, 40, Shape::new(1, 640, 1)),
            (&[64, 28, 28, 1], Layout::Nhwc, 64, Shape::new(28, 28, 1)),
            (&[64, 16, 24, 3], Layout::Nhwc, 64, Shape::new(16, 24, 3)),
            (&[64, 1, 640, 2], Layout::Nhwc, 64, Shape::new(1, 640, 2)),
            (&[64, 1, 28, 28], Layout::Nchw, 64, Shape::new(28, 28, 1)),
            (&[64, 3, 28, 28], Layout::Nchw, 64, Shape::new(28, 28, 3)),
            (&[64, 3, 24, 16], Layout::Nchw, 64, Shape::new(24, 16, 3)),
            (&[64, 8, 8, 16], Layout::Nhwc, 64, Shape::new(8, 8, 16)),
            (&[64, 3, 32, 1], Layout::Nhwc, 64, Shape::new(3, 32, 1)),
        ] {
            let found = of(sizes).unwrap();
            assert_eq!((found, found.images(sizes)), (expected, (count, shape)), "{sizes:?}");
        }
        for (sizes, way) in [
            (&[28, 28, 300][..], "300 of 28x28x1 (--layout hwn)"),
            (&[64, 64, 4], "4 of 64x64x1 (--layout hwn)"),
            (&[64, 48, 3], "1 of 64x48x3 (--layout hwc)"),
            (&[32, 32, 3, 500], "500 of 32x32x3 (--layout hwcn)"),
            (&[64, 1, 28, 10], "64 of 28x10x1 (--layout nchw)"),
            (&[9, 16, 8, 8], "9 of 8x8x16 (--layout nchw)"),
            (&[9, 8, 8, 8], "9 of 8x8x8 (--layout nhwc) or 9 of 8x8x8 (--layout nchw)"),
            (&[9, 4, 4, 4], "9 of 4x4x4 (--layout nchw)"),
            (&[9, 3, 32, 4], "9 of 3x32x4 (--layout nhwc) or 9 of 32x4x3 (--layout nchw)"),
        ] {
            let error = of(sizes).unwrap_err().to_string();
            assert!(error.contains(way) && error.contains("say which"), "{error}");
        }
        for wrong in [&[5][..], &[5, 5], &[2, 3, 4, 5, 6], &[]] {
            assert!(of(wrong).unwrap_err().to_string().contains("axes"));
        }
        let error = layout(Path::new("a.npy"), &[5, 6, 7], Some(Layout::Nhwc)).unwrap_err().to_string();
        assert!(error.contains("has 3 axes, --layout nhwc names 4"), "{error}");
    }
}
