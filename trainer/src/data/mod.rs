//! Data sets: images as f32 in [-1, 1], NHWC, with labels where the source has them.
pub mod augment;
mod dataset;
pub mod digits;
mod idx;
pub mod labels;
mod npy;
mod open;
mod png_folder;

pub use dataset::Dataset;
pub use labels::{Axis, Labels};
pub use open::png;
