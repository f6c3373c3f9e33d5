//! How much a model may hold.

/// Largest number of ops.
pub const MAX_OPS: u16 = 256;
/// Largest number of multiply-accumulates of one evaluation.
pub const MAX_MACS: u64 = 1 << 30;
/// Largest number of plans.
pub const MAX_PLANS: u16 = 64;
/// Largest number of axes of labels.
pub const MAX_AXES: usize = 8;
/// Most buffers that may lie side by side in the arena, those included that nothing reads any more.
pub const MAX_VALUES: usize = 48;
