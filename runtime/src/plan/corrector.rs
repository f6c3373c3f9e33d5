//! Langevin steps behind the steps of any method: Song et al. 2021 (score-based SDEs), algorithms 3 and 5.

use super::method::{Coefficients, Method};

/// The largest signal-to-noise ratio of a corrector.
const MOST: f64 = 0.7;

impl Method {
    /// It with a corrector: where a timestep repeats, a Langevin step with signal-to-noise ratio `r`, kept within 0 to
    /// 0.7. The step after a corrector's looks back at none, so that DPM-Solver++ is of first order there.
    pub const fn corrected(mut self, r: f64) -> Self {
        // NaN becomes 0.
        let r = if r > 0.0 { r } else { 0.0 };
        self.corrector = Some(if r < MOST { r } else { MOST });
        self
    }
}

/// At one level: x = x_t + e·s + √(2e)·z with the score s = −ε̂/σ and the step size e = 2·(r·σ)², that is
/// 2·(r·‖z‖/‖s‖)² where ‖ε̂‖ is the norm of noise. It leaves the noise's variance at σ²·(1 + 4r⁴).
pub(super) fn corrector(now: f64, r: f64) -> Coefficients {
    // ε̂ = (x_t − √ᾱ·x0_hat)/σ.
    let weight = 2.0 * r * r;
    Coefficients { a: 1.0 - weight, b: weight * libm::sqrt(now), c: 0.0, sigma: 2.0 * r * libm::sqrt(1.0 - now) }
}
