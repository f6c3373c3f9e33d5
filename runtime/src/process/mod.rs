//! What a chain's state is and how a step changes it, a file for each process; nothing here knows of networks or files.
//!
//! | file | what it is |
//! |---|---|
//! | [`gaussian`] | values with noise (Ho et al. 2020) |
//! | [`binomial`] | bits that are drawn anew (Sohl-Dickstein et al. 2015) |
//! | `chain.rs` | what a chain asks of a process |
//! | [`element`], `kind.rs` | what a state is kept in |
//! | `previous.rs` | x0_hat of the step before |
//! | `logistic.rs` | a table that `binomial.rs` reads |

pub mod binomial;
pub(crate) mod chain;
pub mod element;
pub mod gaussian;
mod kind;
mod logistic;
mod previous;

pub use kind::StateKind;
pub use previous::Previous;
