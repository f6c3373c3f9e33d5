//! Ancestral sampling: Ho, Jain & Abbeel 2020, equations 6 and 7.

use super::method::{Coefficients, Method, MethodSpec, OptionSpec, Transition, Values};
use super::schedule::beta_tilde;

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "ddpm",
    about: "ancestral sampling (Ho et al. 2020)",
    options: &[OptionSpec { name: "variance", values: Values::Words(&["beta", "beta-tilde"]), default: 0.0 }],
    repeats: false,
    ends_with_noise: false,
    coefficients: |transition, &[variance, ..]| ddpm(transition, variance == 1.0),
};

/// Which variance an ancestral step adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// σ² = β.
    Beta,
    /// σ² = β̃, the posterior's.
    BetaTilde,
}

impl Method {
    /// Ancestral sampling, `ddpm`.
    pub const fn ddpm(variance: Variance) -> Self {
        Self::new(&SPEC).set(0, variance as u8 as f64)
    }
}

/// a, b: the posterior mean's weights of x_t and x0_hat (equation 7); sigma² is β or β̃ of the whole transition.
fn ddpm(Transition { now, then, .. }: Transition, posterior_variance: bool) -> Coefficients {
    let alpha = now / then;
    let beta = 1.0 - alpha;
    Coefficients {
        a: libm::sqrt(alpha) * (1.0 - then) / (1.0 - now),
        b: libm::sqrt(then) * beta / (1.0 - now),
        c: 0.0,
        sigma: libm::sqrt(if posterior_variance { beta_tilde(now, then) } else { beta }),
    }
}
