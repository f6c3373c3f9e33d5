//! How good samples are: distances to real images, in the features of a frozen network and without any.
//!
//! Data flows one way: [`evaluator`] is the network, made by [`evaluator_training`] from the user's data or built in;
//! [`source`] draws images, [`subject`] finds the data, [`ruler`] computes every figure of a set of images against the
//! data, [`evaluation`] does so for every plan and measures the bound and what quantization changes, and [`report`] and
//! [`html`] show it.
pub mod about;
mod architecture;
pub mod bit_bound;
mod bootstrap;
pub mod bound;
pub mod comparison;
pub mod corruption;
pub mod decoder;
pub mod denoiser;
pub mod evaluation;
pub mod evaluator;
pub mod evaluator_training;
pub mod following;
pub mod frechet;
pub mod histogram;
pub mod html;
pub mod neighbours;
pub mod pyramid;
pub mod quantization;
pub mod quiet;
pub mod report;
pub mod ruler;
pub mod sliced;
pub mod sound_corruption;
pub mod source;
pub mod subject;
pub mod vectors;

pub use about::About;
pub use architecture::FEATURES;
pub use evaluator::Evaluator;
pub use report::Report;
pub use ruler::{Figures, Ruler};
pub use source::Source;
