//! Pictures and texts for people.
pub mod image;
pub mod plot;
pub mod progress;
