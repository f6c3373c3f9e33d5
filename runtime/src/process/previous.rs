//! x0_hat of the step before, as a multistep plan keeps it beside x_t.

use crate::quant::{clamp_i16, round};

/// Steps of a 16-bit x0_hat in 1: it ranges over ±4 and is off by 2^-14 at most.
const UNITS: f32 = 8192.0;

/// A value that x0_hat is kept in from one step to the next.
pub trait Previous: Copy {
    /// From x0_hat.
    fn store(x0_hat: f32) -> Self;
    /// x0_hat as it was kept.
    fn load(self) -> f32;
}

impl Previous for f32 {
    fn store(x0_hat: f32) -> Self {
        x0_hat
    }

    fn load(self) -> f32 {
        self
    }
}

/// In units of 2^-13, rounded to the nearest, ties to even, and clamped: what [`Sampler`](crate::Sampler) keeps.
impl Previous for i16 {
    fn store(x0_hat: f32) -> Self {
        clamp_i16(round(x0_hat * UNITS, 32_768.0))
    }

    fn load(self) -> f32 {
        f32::from(self) * (1.0 / UNITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bits_round_and_clamp() {
        let stored = [1.0, -1.0, 0.5 / UNITS, 1.5 / UNITS, 9.0, -9.0, f32::NAN].map(<i16 as Previous>::store);
        assert_eq!(stored, [8192, -8192, 0, 2, 32767, -32768, -32768]);
        for i in -40_000..40_000 {
            let x0_hat = i as f32 * 1e-4;
            let error = (<i16 as Previous>::store(x0_hat).load() - x0_hat).abs();
            assert!(error <= 0.5 / UNITS || x0_hat > 3.9998, "{x0_hat}: {error}");
        }
        assert_eq!(<f32 as Previous>::store(0.1).load(), 0.1);
    }
}
