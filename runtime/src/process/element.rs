//! What a value of the state x_t is kept in between two steps: f32, or f16 in half the memory.

use half::f16;

/// A value of a chain's state: `f32` or [`struct@f16`], whichever the model file says. All arithmetic is f32; a value
/// is rounded once a step, when it is kept. Nothing else implements this.
pub trait StateElement: bytemuck::Pod + sealed::Sealed {
    /// Zero, for memory before a chain.
    const ZERO: Self;
    /// Whether it has 16 bits.
    const IS_F16: bool;
    /// From a value of a step, rounded to the nearest, ties to even.
    fn store(value: f32) -> Self;
    /// The value, exact.
    fn load(self) -> f32;
}

impl StateElement for f32 {
    const ZERO: Self = 0.0;
    const IS_F16: bool = false;

    #[inline]
    fn store(value: f32) -> Self {
        value
    }

    #[inline]
    fn load(self) -> f32 {
        self
    }
}

/// IEEE 754 binary16, converted by integer arithmetic alone, so that it has the same bits with and without a unit for it:
/// beyond 65504 it is infinite, below 2^-14 it is subnormal.
impl StateElement for f16 {
    const ZERO: Self = f16::ZERO;
    const IS_F16: bool = true;

    #[inline(never)]
    fn store(value: f32) -> Self {
        Self::from_f32_const(value)
    }

    #[inline(never)]
    fn load(self) -> f32 {
        self.to_f32_const()
    }
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for half::f16 {}
}

/// The element of a state that has 16 bits or not; see [`StateElementOf`].
#[derive(Clone, Copy, Debug)]
pub struct StateKind<const IS_F16: bool>;

/// A kind of state with its element.
pub trait StateKindElement {
    /// The element.
    type Element: StateElement;
}

impl StateKindElement for StateKind<false> {
    type Element = f32;
}

impl StateKindElement for StateKind<true> {
    type Element = f16;
}

/// The element of a model file's state, for firmware that takes whichever file it is built with.
///
/// ```
/// use brownian::{include_model, state_is_f16, state_len, StateElement, StateElementOf};
///
/// static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
/// type Element = StateElementOf<{ state_is_f16(FILE) }>;
/// static STATE: [Element; state_len(FILE)] = [Element::ZERO; state_len(FILE)];
/// assert_eq!(core::mem::size_of_val(&STATE), 4 * state_len(FILE));
/// ```
pub type StateElementOf<const IS_F16: bool> = <StateKind<IS_F16> as StateKindElement>::Element;

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding to nearest even at the borders of binary16: 2^-25 is half of the least subnormal, 65520 half a step above
    /// the largest value.
    #[test]
    fn sixteen_bits_round_to_nearest_even() {
        let bits = |value: f32| <f16 as StateElement>::store(value).to_bits();
        let cases = [
            (0.0, 0),
            (-0.0, 0x8000),
            (1.0, 0x3c00),
            (-1.0, 0xbc00),
            (1.0 + 1.0 / 2048.0, 0x3c00),
            (1.0 + 3.0 / 2048.0, 0x3c02),
            (65_504.0, 0x7bff),
            (65_519.996, 0x7bff),
            (65_520.0, 0x7c00),
            (-1e9, 0xfc00),
            (f32::from_bits(0x3300_0000), 0),
            (f32::from_bits(0x3300_0001), 1),
            (f32::from_bits(0x3880_0000), 0x0400),
            (f32::from_bits(0x387f_ffff), 0x0400),
            (f32::from_bits(0x387f_c000), 0x03ff),
        ];
        for (value, expected) in cases {
            assert_eq!(bits(value), expected, "{value}");
        }
        assert!(<f16 as StateElement>::store(f32::NAN).load().is_nan());
        // Every value of 16 bits is kept as it is, and what lies between goes to the nearer one.
        for bits in 0..=u16::MAX {
            let value = f16::from_bits(bits);
            let kept = <f16 as StateElement>::store(value.load());
            assert!(kept.to_bits() == bits || value.is_nan(), "{bits:04x}");
            if bits & 0x7fff < 0x7bff {
                let (low, high) = (value.load(), f16::from_bits(bits + 1).load());
                let middle = (low + high) / 2.0;
                let even = bits + (bits & 1);
                assert_eq!(<f16 as StateElement>::store(middle).to_bits(), even, "{middle}");
                let nearer = <f16 as StateElement>::store(low + (middle - low) * 0.875);
                assert_eq!(nearer.to_bits(), bits, "{low}");
            }
        }
    }
}
