//! The only rounding rule of the integer network.
//!
//! A real value is `scale·(q − zero_point)`. An accumulator turns into an output as
//!
//! ```text
//! q = clamp(⌊acc·multiplier / 2^(16 + shift) + 1/2⌋ + zero_point)
//! ```
//!
//! with a 16-bit multiplier. The product is taken in two floors, `⌊⌊acc·m/2^16⌋ + r⌋ >> shift`, which
//! equals the single rounding above because nested floors over integers collapse. The inner floor is
//! one instruction on cores with `smulwb` or a high multiply and two 32-bit products on cores without.

/// Smallest and largest `shift` of a requantization; parsing enforces them.
pub const SHIFT_RANGE: core::ops::RangeInclusive<u8> = 1..=20;

/// `⌊acc·multiplier / 2^16⌋`, exact for every input.
#[inline(always)]
pub fn scale(acc: i32, multiplier: i16) -> i32 {
    ((acc as i64 * multiplier as i64) >> 16) as i32
}

/// The constant an output adds before its final shift: half a unit, and the output zero point.
#[inline(always)]
pub fn rounding_offset(shift: u8, zero_point: i32) -> i32 {
    (1i32 << (shift as u32 - 1)).wrapping_add(zero_point.wrapping_shl(shift as u32))
}

/// `acc` requantized to an integer that is not clamped yet; `offset` is [`rounding_offset`].
#[inline(always)]
pub fn requantize(acc: i32, multiplier: i16, offset: i32, shift: u8) -> i32 {
    scale(acc, multiplier).wrapping_add(offset) >> (shift as u32 & 31)
}

/// Clamps to the i8 range.
#[inline(always)]
pub fn clamp_i8(q: i32) -> i8 {
    q.clamp(i8::MIN as i32, i8::MAX as i32) as i8
}

/// Clamps to the i16 range.
#[inline(always)]
pub fn clamp_i16(q: i32) -> i16 {
    q.clamp(i16::MIN as i32, i16::MAX as i32) as i16
}

/// Quantizes a real `x` as `clamp(round(x·inverse_scale) + zero_point)` to i8, ties to even.
///
/// Only f32 multiplication and addition are used: adding 1.5·2^23 leaves the rounded integer in the
/// low mantissa bits. NaN maps to the lower clamp.
#[inline(always)]
pub fn quantize(x: f32, inverse_scale: f32, zero_point: i8) -> i8 {
    clamp_i8(round(x * inverse_scale, 512.0) + zero_point as i32)
}

/// `x`, kept within ±`limit` (at most 2^22), to the nearest integer, ties to even.
#[inline(always)]
pub(crate) fn round(x: f32, limit: f32) -> i32 {
    const MAGIC: f32 = 12_582_912.0;
    // Written as comparisons, so that NaN and every target take the same path.
    let bounded = if x > -limit { x } else { -limit };
    let bounded = if bounded < limit { bounded } else { limit };
    (bounded + MAGIC).to_bits() as i32 - MAGIC.to_bits() as i32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_floors_are_one_rounding() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let acc = (state >> 32) as i32 >> ((state >> 8) & 15);
            let m = (state >> 16) as i16;
            let shift = 1 + ((state >> 3) % 20) as u8;
            let zero = (state >> 40) as i8 as i32;
            let exact = ((acc as i128 * m as i128 + (1i128 << (15 + shift))) >> (16 + shift)) + zero as i128;
            assert_eq!(requantize(acc, m, rounding_offset(shift, zero), shift) as i128, exact);
        }
    }

    #[test]
    fn quantize_rounds_ties_to_even_and_clamps() {
        assert_eq!([0.5, 1.5, -0.5, -2.5, 2.51].map(|x| quantize(x, 1.0, 0)), [0, 2, 0, -2, 3]);
        assert_eq!([1e9, -1e9, f32::NAN, f32::INFINITY].map(|x| quantize(x, 1.0, 5)), [127, -128, -128, 127]);
    }
}
