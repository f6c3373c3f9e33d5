//! Langevin steps between predictor steps: Song et al. 2021 (score-based SDEs), algorithms 3 and 5.

use super::ddim::ddim;
use super::method::{Coefficients, Method, MethodSpec, OptionSpec, Transition, Values};

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "langevin",
    about: "Langevin steps where a timestep repeats, DDIM from one to the next (Song et al. 2021, SDEs)",
    options: &[OptionSpec { name: "r", values: Values::Range(0.0, 0.7), default: 0.16 }],
    repeats: true,
    coefficients: |transition, &[r, _]| langevin(transition, r),
};

impl Method {
    /// DDIM from timestep to timestep, and where a timestep repeats a Langevin step with signal-to-noise ratio `r`,
    /// `langevin`. Kept within 0 to 0.7.
    pub const fn langevin(r: f64) -> Self {
        Self::new(&SPEC).set_within(0, r)
    }
}

/// At one level: x = x_t + e·s + √(2e)·z with the score s = −ε̂/σ and the step size e = 2·(r·σ)², that is
/// 2·(r·‖z‖/‖s‖)² where ‖ε̂‖ is the norm of noise. It leaves the noise's variance at σ²·(1 + 4r⁴).
fn langevin(transition: Transition, r: f64) -> Coefficients {
    let Transition { now, then, .. } = transition;
    if then > now {
        return ddim(transition, 0.0);
    }
    // ε̂ = (x_t − √ᾱ·x0_hat)/σ.
    let weight = 2.0 * r * r;
    Coefficients { a: 1.0 - weight, b: weight * libm::sqrt(now), c: 0.0, sigma: 2.0 * r * libm::sqrt(1.0 - now) }
}
