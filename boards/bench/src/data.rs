//! Reproducible test data: full-range activations, weights in −127..=127, per-channel requantization.

use brownian::kernels::row_stride;
use brownian::quant::rounding_offset;

/// A linear congruential generator with a xorshift output; the same numbers on every machine.
pub struct Rng(pub u64);

impl Rng {
    /// 32 random bits.
    pub fn bits(&mut self) -> u32 {
        let state = self.0;
        self.0 = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (((state >> 18) ^ state) >> 27) as u32
    }

    /// Uniform in 0..n, for n ≥ 1.
    pub fn below(&mut self, n: usize) -> usize {
        ((self.bits() >> 8) as usize) % n
    }

    /// Any i8; one in eight is −128 or 127.
    pub fn activation(&mut self) -> i8 {
        match self.bits() % 16 {
            0 => i8::MIN,
            1 => i8::MAX,
            _ => (self.bits() >> 9) as i8,
        }
    }

    /// A weight in −127..=127; one in eight is an end of the range.
    pub fn weight(&mut self) -> i8 {
        self.activation().max(-127)
    }

    pub fn activations(&mut self, out: &mut [i8]) {
        out.iter_mut().for_each(|v| *v = self.activation());
    }

    /// Rows of `taps` weights and zeros up to the row's stride.
    pub fn rows(&mut self, out: &mut [i8], taps: usize) {
        for row in out.chunks_exact_mut(row_stride(taps).max(1)) {
            for (i, w) in row.iter_mut().enumerate() {
                *w = if i < taps { self.weight() } else { 0 };
            }
        }
    }
}

/// Requantization for sums of `taps` products, so that outputs fill the i8 range and some clamp.
/// Returns the offset and the shift.
pub fn requantization(rng: &mut Rng, taps: usize, bias: &mut [i32], multipliers: &mut [i16], zero: i8) -> (i32, u8) {
    let mut shift = 5u8;
    while 1usize << (2 * (shift - 5)) < taps {
        shift += 1;
    }
    bias.iter_mut().for_each(|b| *b = (rng.bits() as i32) >> 14);
    multipliers.iter_mut().for_each(|m| *m = 8192 + (rng.bits() % 24576) as i16);
    (rounding_offset(shift, zero as i32), shift)
}
