//! What the state x_t is kept in between two steps: f32, f16 in half the memory, or bits.

use super::binomial::Bits;
use super::chain::Chain;
use super::kind::StateKind;
use half::f16;

/// An element of a chain's state: `f32` or [`struct@f16`] of the Gaussian process, or [`Bits`] of the binomial one,
/// whichever the model file says. Nothing else implements this.
pub trait StateElement: bytemuck::Pod + Chain {
    /// Zero, for memory before a chain.
    const ZERO: Self;
    /// What it is.
    const KIND: StateKind;

    /// Value number `index` of x, about -1 to 1; of a bit -1 or 1. 0 beyond the end.
    fn value(x: &[Self], index: usize) -> f32;
}

/// An element of the Gaussian process. All arithmetic is f32; a value is rounded once a step, when it is kept.
pub trait Real: StateElement {
    /// From a value of a step, rounded to the nearest, ties to even.
    fn store(value: f32) -> Self;
    /// The value, exact.
    fn load(self) -> f32;
}

impl StateElement for f32 {
    const ZERO: Self = 0.0;
    const KIND: StateKind = StateKind::F32;

    fn value(x: &[Self], index: usize) -> f32 {
        x.get(index).copied().unwrap_or(0.0)
    }
}

impl Real for f32 {
    #[inline]
    fn store(value: f32) -> Self {
        value
    }

    #[inline]
    fn load(self) -> f32 {
        self
    }
}

/// IEEE 754 binary16.
impl StateElement for f16 {
    const ZERO: Self = f16::ZERO;
    const KIND: StateKind = StateKind::F16;

    fn value(x: &[Self], index: usize) -> f32 {
        x.get(index).map_or(0.0, |&value| Real::load(value))
    }
}

/// Converted by integer arithmetic alone, so that it has the same bits with and without a unit for it: beyond 65504 it is
/// infinite, below 2^-14 it is subnormal.
impl Real for f16 {
    #[inline(never)]
    fn store(value: f32) -> Self {
        Self::from_f32_const(value)
    }

    #[inline(never)]
    fn load(self) -> f32 {
        self.to_f32_const()
    }
}

impl StateElement for Bits {
    const ZERO: Self = Self(0);
    const KIND: StateKind = StateKind::Bits;

    fn value(x: &[Self], index: usize) -> f32 {
        match index / Self::LEN < x.len() {
            true if Self::of(x, index) => 1.0,
            true => -1.0,
            false => 0.0,
        }
    }
}

/// The element of the state of this kind; see [`StateElementOf`].
#[derive(Clone, Copy, Debug)]
pub struct OfKind<const NUMBER: u16>;

/// A kind of state with its element.
pub trait KindElement {
    /// The element.
    type Element: StateElement;
}

impl KindElement for OfKind<0> {
    type Element = f32;
}

impl KindElement for OfKind<1> {
    type Element = f16;
}

impl KindElement for OfKind<2> {
    type Element = Bits;
}

/// The element of a model file's state, for firmware that takes whichever file it is built with.
///
/// ```
/// use brownian::{include_model, state_kind, state_len, StateElement, StateElementOf};
///
/// static FILE: &[u8] = include_model!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"));
/// type Element = StateElementOf<{ state_kind(FILE).number() }>;
/// static STATE: [Element; state_len(FILE)] = [<Element as StateElement>::ZERO; state_len(FILE)];
/// assert_eq!(core::mem::size_of_val(&STATE), 4 * state_len(FILE));
/// ```
pub type StateElementOf<const NUMBER: u16> = <OfKind<NUMBER> as KindElement>::Element;

/// Evaluates an expression with a name for the element of a model's state, f32, f16 or bits. Code for all is made.
///
/// ```
/// use brownian::host::{ChainMemory, OwnedModel};
/// use brownian::{with_state_element, Sampler};
///
/// let file = OwnedModel::read(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data/nano.brn"))?;
/// let (model, plan) = (file.model(), file.plan("fast5")?);
/// let mut memory = ChainMemory::new(&model);
/// let sample: Vec<f32> = with_state_element!(&model, Element => {
///     let mut sampler = memory.start::<Element>(Sampler::builder(&model, plan))?;
///     while sampler.step() {}
///     sampler.values().collect()
/// });
/// assert_eq!(sample.len(), 784);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! with_state_element {
    ($model:expr, $element:ident => $body:expr) => {
        match $model.state_kind() {
            $crate::StateKind::F16 => {
                type $element = $crate::f16;
                $body
            }
            $crate::StateKind::Bits => {
                type $element = $crate::Bits;
                $body
            }
            _ => {
                type $element = f32;
                $body
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounding to nearest even at the borders of binary16: 2^-25 is half of the least subnormal, 65520 half a step above
    /// the largest value.
    #[test]
    fn sixteen_bits_round_to_nearest_even() {
        let bits = |value: f32| <f16 as Real>::store(value).to_bits();
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
        assert!(<f16 as Real>::store(f32::NAN).load().is_nan());
        // Every value of 16 bits is kept as it is, and what lies between goes to the nearer one.
        for bits in 0..=u16::MAX {
            let value = f16::from_bits(bits);
            let kept = <f16 as Real>::store(value.load());
            assert!(kept.to_bits() == bits || value.is_nan(), "{bits:04x}");
            if bits & 0x7fff < 0x7bff {
                let (low, high) = (value.load(), f16::from_bits(bits + 1).load());
                let middle = (low + high) / 2.0;
                let even = bits + (bits & 1);
                assert_eq!(<f16 as Real>::store(middle).to_bits(), even, "{middle}");
                let nearer = <f16 as Real>::store(low + (middle - low) * 0.875);
                assert_eq!(nearer.to_bits(), bits, "{low}");
            }
        }
    }
}
