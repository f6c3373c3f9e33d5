//! Choices of quantization.

/// How a network becomes integers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {}
