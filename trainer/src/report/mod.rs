//! Pictures and texts for people.
pub mod plot;
