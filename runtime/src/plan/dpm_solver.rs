//! DPM-Solver++(2M): Lu et al. 2022, algorithm 2.

use super::method::{Coefficients, Method, MethodSpec, Transition};

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "dpm",
    about: "DPM-Solver++(2M) (Lu et al. 2022), first order in the first and the last step",
    options: &[],
    repeats: false,
    ends_with_noise: false,
    needs_errors: |_| false,
    coefficients: |transition, _| dpm_solver_2m(transition),
};

impl Method {
    /// DPM-Solver++(2M), deterministic, `dpm`.
    pub const fn dpm_solver_2m() -> Self {
        Self::new(&SPEC)
    }
}

/// x = (σ'/σ)·x_t − α'·(e^(−h) − 1)·D with D = (1 + 1/(2r))·x0_hat − 1/(2r)·x0_hat_prev, λ = ln(α/σ), h = λ' − λ and
/// r = h_prev/h.
///
/// The first step and the last are of first order, D = x0_hat. From ᾱ = 0, where λ is −∞, the step is its limit
/// σ'·x_t + α'·x0_hat, and the step after it has r = ∞.
fn dpm_solver_2m(Transition { before, now, then, .. }: Transition) -> Coefficients {
    if then >= 1.0 {
        return Coefficients { b: 1.0, ..Coefficients::default() };
    }
    let lambda = |bar: f64| 0.5 * libm::log(bar / (1.0 - bar));
    let h = lambda(then) - lambda(now);
    let gain = -libm::sqrt(then) * libm::expm1(-h);
    let half_inverse_r = before.map_or(0.0, |before| h / (2.0 * (lambda(now) - lambda(before))));
    Coefficients {
        a: libm::sqrt(1.0 - then) / libm::sqrt(1.0 - now),
        b: gain * (1.0 + half_inverse_r),
        c: -gain * half_inverse_r,
        sigma: 0.0,
    }
}
