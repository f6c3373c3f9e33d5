//! Ancestral sampling: Ho, Jain & Abbeel 2020, equations 6 and 7.

use super::method::{Coefficients, Method, MethodSpec, OptionSpec, Transition, Values};
use super::schedule::beta_tilde;

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "ddpm",
    about: "ancestral sampling (Ho et al. 2020)",
    options: &[OptionSpec {
        name: "variance",
        values: Values::Words(&["beta", "beta-tilde", "learned"]),
        default: 0.0,
    }],
    repeats: false,
    ends_with_noise: false,
    needs_errors: |&[variance, ..]| variance == Variance::Learned as u8 as f64,
    coefficients: |transition, &[variance, ..]| ddpm(transition, variance),
};

/// Which variance an ancestral step adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// σ² = β.
    Beta,
    /// σ² = β̃, the posterior's.
    BetaTilde,
    /// σ² = β̃ + b²·m with m the mean squared error of x0_hat, from a table that was learned: what makes the bound least
    /// (Sohl-Dickstein et al. 2015 learn it; Bao et al. 2022, equation 8, derive it).
    Learned,
}

impl Method {
    /// Ancestral sampling, `ddpm`.
    pub const fn ddpm(variance: Variance) -> Self {
        Self::new(&SPEC).set(0, variance as u8 as f64)
    }
}

/// a, b: the posterior mean's weights of x_t and x0_hat (equation 7); sigma² is β, β̃ or the learned variance of the whole
/// transition.
pub(super) fn ddpm(Transition { now, then, error, .. }: Transition, variance: f64) -> Coefficients {
    let alpha = now / then;
    let beta = 1.0 - alpha;
    let b = libm::sqrt(then) * beta / (1.0 - now);
    let sigma = match variance {
        0.0 => beta,
        1.0 => beta_tilde(now, then),
        _ => beta_tilde(now, then) + b * b * error,
    };
    Coefficients { a: libm::sqrt(alpha) * (1.0 - then) / (1.0 - now), b, c: 0.0, sigma: libm::sqrt(sigma) }
}
