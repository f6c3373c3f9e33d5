//! The search for the integers that stand for real factors.

use crate::quant::SHIFT_RANGE;

/// The 16-bit multipliers and the common shift for real factors `0 < factor < 0.25`.
///
/// The shift is the largest that keeps the largest factor within 15 bits; smaller factors keep fewer
/// bits. Returns `None` if a factor is not positive and finite, or does not fit.
pub fn multipliers(factors: &[f64], out: &mut [i16]) -> Option<u8> {
    if factors.iter().any(|&f| !(f.is_finite() && f > 0.0)) || factors.len() != out.len() {
        return None;
    }
    let largest = factors.iter().fold(0.0f64, |m, &f| m.max(f));
    let shift = SHIFT_RANGE.rev().find(|&s| libm::round(libm::ldexp(largest, 16 + s as i32)) <= 32767.0)?;
    for (m, &f) in out.iter_mut().zip(factors) {
        *m = libm::round(libm::ldexp(f, 16 + shift as i32)) as i16;
    }
    Some(shift)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multipliers_keep_fifteen_bits_of_the_largest() {
        let mut out = [0i16; 2];
        let shift = multipliers(&[0.003, 0.0001], &mut out).unwrap();
        assert!(out[0] > 16383, "{out:?}");
        for (m, f) in out.iter().zip([0.003, 0.0001]) {
            let real = *m as f64 / libm::exp2(16.0 + shift as f64);
            assert!((real / f - 1.0).abs() < 1e-3);
        }
        assert_eq!(multipliers(&[0.3], &mut out[..1]), None);
        assert_eq!(multipliers(&[f64::NAN], &mut out[..1]), None);
    }
}
