//! DDIM: Song, Meng & Ermon 2021, equation 12.

use super::method::{Coefficients, Method, MethodSpec, OptionSpec, Transition, Values};
use super::schedule::beta_tilde;

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "ddim",
    about: "DDIM (Song et al. 2021), eta from 0, deterministic, to 1, ancestral",
    options: &[OptionSpec { name: "eta", values: Values::Range(0.0, 1.0), default: 0.0 }],
    repeats: false,
    ends_with_noise: false,
    needs_errors: |_| false,
    coefficients: |transition, &[eta, ..]| ddim(transition, eta),
};

impl Method {
    /// DDIM with stochasticity `eta`, the factor on √β̃: 0 deterministic, 1 ancestral. Kept within 0 to 1.
    pub const fn ddim(eta: f64) -> Self {
        Self::new(&SPEC).set_within(0, eta)
    }
}

/// x = √ᾱ'·x0_hat + √(1 − ᾱ' − s²)·ε̂ + s·z with s = η·√β̃ and ε̂ = (x_t − √ᾱ·x0_hat)/√(1 − ᾱ).
fn ddim(Transition { now, then, .. }: Transition, eta: f64) -> Coefficients {
    let sigma = eta * libm::sqrt(beta_tilde(now, then));
    let a = libm::sqrt((1.0 - then - sigma * sigma).max(0.0) / (1.0 - now));
    Coefficients { a, b: libm::sqrt(then) - a * libm::sqrt(now), c: 0.0, sigma }
}
