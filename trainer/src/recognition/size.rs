//! How small images are: in small ones a pixel or two may be all that tells a class, so that those who learn to read them
//! alter them less.
use crate::graph::Shape;

/// Pixels of the shorter side from which on images are not small.
pub const SIDE: f32 = 28.0;

/// The shorter side of images of a shape over [`SIDE`], at most 1.
pub fn side_share(shape: Shape) -> f32 {
    (shape.height.min(shape.width) as f32 / SIDE).min(1.0)
}
