//! Pictures and texts for people.
pub mod chart;
pub mod image;
pub mod plot;
pub mod progress;
