//! Annealed Langevin dynamics: Song & Ermon 2019, algorithm 1.

use super::method::{Coefficients, Method, MethodSpec, OptionSpec, Transition, Values};

pub(super) static SPEC: MethodSpec = MethodSpec {
    name: "langevin",
    about: "annealed Langevin dynamics (Song & Ermon 2019), several steps a level",
    options: &[
        OptionSpec { name: "step", values: Values::Range(0.0, 1.0), default: 0.2 },
        OptionSpec { name: "noise", values: Values::Words(&["classic", "exact"]), default: 0.0 },
        OptionSpec { name: "denoise", values: Values::Flag, default: 0.0 },
    ],
    repeats: true,
    ends_with_noise: true,
    needs_errors: |_| false,
    coefficients: |transition, &[step, noise, denoise]| langevin(transition, step, noise == 1.0, denoise == 1.0),
};

impl Method {
    /// Annealed Langevin dynamics with step sizes `step`·σ², `langevin`. Kept within 0 to 1.
    pub const fn langevin(step: f64) -> Self {
        Self::new(&SPEC).set_within(0, step)
    }
}

/// A Langevin step at the level it begins at, then the scale of the level it goes to.
///
/// In the coordinates of the paper, x̃ = x/√ᾱ = x_0 + ς·ε with ς² = (1 − ᾱ)/ᾱ, the score is s = −ε̂/ς, and
/// x̃ + c·ς²·s + √(2c)·ς·z = (1 − c)·x̃ + c·x0_hat + √(2c)·ς·z. From level to level x̃ stays as it is, so that x is scaled
/// by √(ᾱ'/ᾱ). With `exact` the noise is √(2c − c²)·ς·z, which keeps a variance of ς² where it is; the classic one lets it
/// grow to ς²/(1 − c/2).
///
/// The last step leads to x̃, with the noise of the lowest level; with `denoise` to x0_hat (Jolicoeur-Martineau et al. 2021).
fn langevin(Transition { now, then, .. }: Transition, c: f64, exact: bool, denoise: bool) -> Coefficients {
    if denoise && then >= 1.0 {
        return Coefficients { b: 1.0, ..Coefficients::default() };
    }
    let spread = if exact { c * (2.0 - c) } else { 2.0 * c };
    Coefficients {
        a: (1.0 - c) * libm::sqrt(then / now),
        b: c * libm::sqrt(then),
        c: 0.0,
        sigma: libm::sqrt(spread * (1.0 - now) / now * then),
    }
}
