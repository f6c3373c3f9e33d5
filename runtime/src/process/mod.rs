//! What a chain's state is and how a step changes it, a file for each process; nothing here knows of networks or files.
//!
//! | file | what it is |
//! |---|---|
//! | [`gaussian`] | values with noise (Ho et al. 2020) |
//! | [`binomial`] | bits that are drawn anew (Sohl-Dickstein et al. 2015) |
//! | `chain.rs` | what a chain asks of a process |
//! | [`element`], `kind.rs` | what a state is kept in |
//! | `outputs.rs` | what the network says |
//! | [`product`] | a step's distribution times that of what is known |
//! | `previous.rs` | x0_hat of the step before |
//! | `logistic.rs`, `scales.rs` | a table that `binomial.rs` reads; the scales of a network over bits |

pub mod binomial;
pub(crate) mod chain;
pub mod element;
pub mod gaussian;
mod kind;
mod logistic;
pub(crate) mod outputs;
mod previous;
pub mod product;
pub(crate) mod scales;

pub use kind::StateKind;
pub use previous::Previous;
