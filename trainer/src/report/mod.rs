//! Pictures and texts for people.
pub mod chart;
pub mod image;
pub mod note;
pub mod plot;
pub mod progress;
pub mod sound;
