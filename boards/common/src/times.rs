//! How long a chain took, and what of that.

/// Ticks that a chain took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Times {
    /// All steps, without what `tell` does between them.
    pub chain: u64,
    /// Of those, in the network.
    pub network: u64,
    /// Of those, in its convolutions and linear layers.
    pub convolutions: u64,
}

impl core::ops::AddAssign for Times {
    fn add_assign(&mut self, other: Self) {
        self.chain += other.chain;
        self.network += other.network;
        self.convolutions += other.convolutions;
    }
}
