//! The distribution of a step times another one (Sohl-Dickstein et al. 2015, section 2.5).
//!
//! A step draws x from N(μ, σ²). What is known of the image is y, with noise of deviation s: r(x) is the likelihood of y
//! where x is at a level and the image's values are N(0, 1) beforehand,
//!
//! ```text
//! r(x) ∝ N(y; α·x, 1 − α² + s²)      α the signal of the level
//! ```
//!
//! which says nothing at the start of a chain, and is N(y; x, s²) at its end. The product of both is normal with a mean
//! between μ and y/α. A draw from it needs no μ: with z of its own,
//!
//! ```text
//! x' = x + g·((y + √(1 − α² + s²)·z)/α − x),   g = (α·σ)²/((α·σ)² + 1 − α² + s²)
//! ```
//!
//! where g = 1 would replace x by what is known.

use crate::plan::Level;

/// The product with what is known, at one level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Product {
    /// g.
    weight: f32,
    /// Deviation of y around α·x.
    spread: f32,
    /// α.
    signal: f32,
}

impl Product {
    /// Behind a step that added noise of deviation `sigma` and led to `level`, for what is known with noise of
    /// `deviation`. Of an image itself that is known without noise nothing else is left.
    pub fn new(sigma: f32, level: Level, deviation: f32) -> Self {
        let variance = level.noise * level.noise + deviation * deviation;
        let pull = level.signal * sigma * (level.signal * sigma);
        let all = pull + variance;
        let weight = if variance == 0.0 { 1.0 } else { pull / all };
        Self { weight, spread: libm::sqrtf(variance), signal: level.signal }
    }

    /// The value `x` that the step has drawn becomes one of the product, where `known` is known of it; z is normal.
    #[inline]
    pub fn of(&self, x: f32, known: f32, z: f32) -> f32 {
        if self.weight == 1.0 {
            return known;
        }
        x + self.weight * ((known + self.spread * z) / self.signal - x)
    }
}
