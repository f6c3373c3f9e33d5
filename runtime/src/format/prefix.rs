//! Sizes that the prefix names, so that firmware can size its statics from the file.

use super::layout::SNAPSHOT_FRAME_LEN;
use crate::process::StateKind;

/// Little-endian u32 at `at`, or 0 beyond the end.
pub(super) const fn word(bytes: &[u8], at: usize) -> u32 {
    if bytes.len() < 4 || at > bytes.len() - 4 {
        return 0;
    }
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Bytes of arena that the model needs, read from the prefix alone, so that it can size a static.
pub const fn arena_len(model: &[u8]) -> usize {
    word(model, 16) as usize
}

/// What the state is kept in, read from the prefix alone; f32 where the number is unknown, which parsing refuses.
pub const fn state_kind(model: &[u8]) -> StateKind {
    match StateKind::numbered((word(model, 4) >> 16) as u16) {
        Some(kind) => kind,
        None => StateKind::F32,
    }
}

/// Elements of state that the model needs, of [this kind](state_kind), read from the prefix alone.
pub const fn state_len(model: &[u8]) -> usize {
    word(model, 20) as usize
}

/// Elements of state for samples of `sample_len` values: x_t, and where a plan uses the previous x0_hat, that in 16 bits.
pub const fn state_len_of(sample_len: usize, uses_previous: bool, kind: StateKind) -> usize {
    kind.elements(sample_len) + if uses_previous { kind.halves(sample_len) } else { 0 }
}

/// Values of a sample (height·width·channels), read from the prefix alone.
pub const fn sample_len(model: &[u8]) -> usize {
    word(model, 24) as usize
}

/// Elements of state that a chain with two evaluations a step needs, read from the prefix alone; see
/// [`Builder::two_evaluations`](crate::Builder::two_evaluations).
pub const fn state_len_two_evaluations(model: &[u8]) -> usize {
    state_len(model).saturating_add(state_kind(model).halves(sample_len(model)))
}

/// The most bytes that a snapshot of a chain of the model has, read from the prefix alone; see
/// [`Sampler::save`](crate::Sampler::save).
pub const fn snapshot_len(model: &[u8]) -> usize {
    SNAPSHOT_FRAME_LEN.saturating_add(state_len(model).saturating_mul(state_kind(model).element_len()))
}
