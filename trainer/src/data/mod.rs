//! Data sets: images and signals as values in [-1, 1], NHWC, with labels where the source has them.
//!
//! [`open`] reads a source: a set that is [built in](BUILT_IN), or whatever one of the [forms](form::Form) knows. A
//! new form is one file and one entry in the list of `open.rs`.
mod array;
mod array_file;
mod array_images;
pub mod arrays;
pub mod augment;
mod beside;
pub mod bits;
mod builtin;
mod cache;
mod class_pattern;
mod counted;
mod dataset;
pub mod digits;
pub mod faces16;
mod fit;
mod folder;
pub mod form;
mod found;
mod gzip;
pub mod heartbeat;
mod idx;
mod jpeg;
mod label_array;
pub mod labels;
mod layout;
mod listing;
mod npy;
mod npz;
mod open;
pub mod options;
mod picture;
mod pictures;
mod pixels;
pub mod place;
mod range;
pub mod sound;
pub mod summary;
pub mod swiss_roll;
mod table;

pub use builtin::{named as built_in, recorded, BuiltIn, BUILT_IN};
pub use dataset::{Dataset, Sound};
pub use form::{Reading, Unit};
pub use found::{Found, LeftOut, Opened};
pub use labels::{Axis, Labels};
pub use open::{drawn, is_picture, one_picture, open, picture_sizes};
pub use options::{Options, Size};
pub use pixels::Pixels;
pub use sound::one_recording;
