//! Fine-tuning of a trained network for integers and for its plans.
//!
//! It starts from the averaged weights with the norms folded in, and rounds weights and activations in the forward pass
//! as the integer network does (quantization-aware training, Jacob et al. 2018). Two losses are added:
//!
//! - *distillation*: the weighted squared distance of F from the float network's on noised images at all timesteps;
//! - *matching*: whole chains of the plans are run on the tape, and the Fréchet distance of their samples to the
//!   training images in the features of critics is brought down, in classes and without. Each step of these plans gets
//!   channel biases of its own.
//!
//! At the end the null class is calibrated, so that draws without a class have the classes' shares in the data.
mod chain;
mod class_prior;
mod comb;
mod critic;
mod critic_training;
mod critics;
mod few;
mod following;
mod measure;
mod moments;
mod palette;
mod start;
mod state;
mod tuner;

pub use class_prior::Round;
pub use tuner::{Figures, FineTuner};
