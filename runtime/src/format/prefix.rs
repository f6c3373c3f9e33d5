//! Sizes that the prefix names, so that firmware can size its statics from the file.

use super::layout::SNAPSHOT_FRAME_LEN;

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

/// Whether the state is kept as f16 rather than f32, read from the prefix alone.
pub const fn state_is_f16(model: &[u8]) -> bool {
    word(model, 4) >> 16 == 1
}

/// Values of state that the model needs, of f32 or [f16](state_is_f16), read from the prefix alone.
pub const fn state_len(model: &[u8]) -> usize {
    word(model, 20) as usize
}

/// Values of state for samples of `sample_len` values: x_t, and where a plan uses the previous x0_hat, that in 16 bits.
pub const fn state_len_of(sample_len: usize, uses_previous: bool, is_f16: bool) -> usize {
    sample_len + if uses_previous { halves_len(sample_len, is_f16) } else { 0 }
}

/// Values of state that hold so many values of 16 bits.
const fn halves_len(values: usize, is_f16: bool) -> usize {
    if is_f16 {
        values
    } else {
        values.div_ceil(2)
    }
}

/// Values of a sample (height·width·channels), read from the prefix alone.
pub const fn sample_len(model: &[u8]) -> usize {
    word(model, 24) as usize
}

/// Values of state that a chain with two evaluations a step needs, read from the prefix alone; see
/// [`Builder::two_evaluations`](crate::Builder::two_evaluations).
pub const fn state_len_two_evaluations(model: &[u8]) -> usize {
    state_len(model).saturating_add(halves_len(sample_len(model), state_is_f16(model)))
}

/// The most bytes that a snapshot of a chain of the model has, read from the prefix alone; see
/// [`Sampler::save`](crate::Sampler::save).
pub const fn snapshot_len(model: &[u8]) -> usize {
    SNAPSHOT_FRAME_LEN.saturating_add(state_len(model).saturating_mul(if state_is_f16(model) { 2 } else { 4 }))
}
