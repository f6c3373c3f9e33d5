//! Recordings as data: signals of height 1, one channel, all of one length.
mod filter;
mod folder;
mod options;
mod prepare;
mod signals;
pub mod spoken;
pub mod wav;

pub use folder::Folder;
pub use options::{Align, SoundOptions, Switch};
pub use signals::one_recording;
