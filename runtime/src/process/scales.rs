//! The scales of a network over bits, and logits of its output, by integers alone.

/// The scales, inverse and of the output, that a network over bits may have: 127, and a power of two from 2^-20 to 2^-4.
/// They are compared by their bits.
pub(crate) fn reads([input_inverse_scale, output_scale]: [f32; 2]) -> bool {
    let bits = output_scale.to_bits();
    input_inverse_scale.to_bits() == 127f32.to_bits() && bits << 9 == 0 && (107..=123).contains(&(bits >> 23))
}

/// A whole number of units of 2^-`digits`·scale in units of 2^-16, where the scale is a power of two.
pub(super) fn logit(value: i32, scale: f32, digits: u32) -> i32 {
    // The exponent of a power of two, from its bits: no arithmetic on floats.
    let exponent = (scale.to_bits() >> 23) as i32 - 127 - digits as i32;
    let shift = (16 + exponent).clamp(-31, 31);
    let value = i64::from(value);
    let shifted = if shift < 0 { value >> -shift } else { value << shift };
    shifted.clamp(i32::MIN.into(), i32::MAX.into()) as i32
}
