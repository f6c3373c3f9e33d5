//! What a chain's state is and how a step changes it, a file for each process; nothing here knows of networks or files.
//!
//! [`gaussian`] is the process of every model today.

pub mod binomial;
pub mod element;
pub mod gaussian;
mod logistic;
mod previous;

pub use previous::Previous;
