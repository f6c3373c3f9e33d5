//! How good samples are: distances to real digits in the features of a frozen classifier and in pixels.
//!
//! Data flows one way: [`source`] draws images, [`evaluator`] computes every figure of a set of images against the
//! training digits, [`evaluation`] does so for every plan and measures the bound and what quantization changes, and
//! [`report`] and [`html`] show it.
pub mod bootstrap;
pub mod bound;
pub mod classifier;
pub mod classifier_training;
pub mod corruption;
pub mod decoder;
pub mod denoiser;
pub mod evaluation;
pub mod evaluator;
pub mod frechet;
pub mod histogram;
pub mod html;
pub mod neighbours;
pub mod quantization;
pub mod report;
pub mod sliced;
pub mod source;

pub use classifier::Classifier;
pub use evaluator::{Evaluator, Figures};
pub use report::Report;
pub use source::Source;
