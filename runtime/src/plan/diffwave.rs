//! DiffWave's sampling: Kong et al. 2021, algorithm 2.

use super::ddpm::{ddpm, Variance};
use super::method::{Method, MethodSpec};

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "diffwave",
    about: "DiffWave's ancestral sampling (Kong et al. 2021), whose variance is beta-tilde",
    options: &[],
    repeats: false,
    ends_with_noise: false,
    needs_errors: |_| false,
    coefficients: |transition, _| ddpm(transition, Variance::BetaTilde as u8 as f64),
};

impl Method {
    /// Ancestral sampling with variance β̃, `diffwave`.
    pub const fn diffwave() -> Self {
        Self::new(&SPEC)
    }
}
