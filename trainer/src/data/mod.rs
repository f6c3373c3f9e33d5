//! Data sets: images as values in [-1, 1], NHWC, with labels where the source has them.
pub mod augment;
mod builtin;
mod dataset;
pub mod digits;
pub mod faces16;
mod gzip;
mod idx;
pub mod labels;
mod npy;
mod open;
mod pixels;
mod png_folder;

pub use builtin::{named as built_in, BuiltIn, BUILT_IN};
pub use dataset::Dataset;
pub use labels::{Axis, Labels};
pub use open::png;
pub use pixels::Pixels;
