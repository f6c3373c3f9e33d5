//! Noise schedules: β_t, ᾱ_t and the posterior coefficients, in f64 (Ho et al. 2020, section 2;
//! cosine: Nichol & Dhariwal 2021, equation 17; sigmoid: Jabri et al. 2022; geometric: Song & Ermon 2019; zero terminal
//! SNR: Lin et al. 2023, algorithm 1).
//!
//! Tables are indexed by `t - 1` for the timestep `t = 1..=T`. Every function is defined for every argument.

/// A noise schedule: the rule that gives β_t for every timestep.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// β_t grows linearly from `beta_first` (t = 1) to `beta_last` (t = T).
    Linear {
        /// β_1.
        beta_first: f64,
        /// β_T.
        beta_last: f64,
    },
    /// ᾱ_t follows cos²(((t/T + s)/(1 + s))·π/2), with β_t cut off at `max_beta`.
    Cosine {
        /// The offset s that keeps β_1 from vanishing.
        s: f64,
        /// The largest β_t allowed.
        max_beta: f64,
    },
    /// ᾱ_t follows a sigmoid from `start` to `end`, moved and scaled to run from 1 to 0:
    /// (s(end) − s(start + (end − start)·t/T))/(s(end) − s(start)) with s(v) = 1/(1 + e^(−v/τ)); β_t is cut off at
    /// `max_beta`.
    Sigmoid {
        /// Where the sigmoid is read at t = 0.
        start: f64,
        /// Where it is read at t = T.
        end: f64,
        /// The temperature τ.
        tau: f64,
        /// The largest β_t allowed.
        max_beta: f64,
    },
    /// Levels of noise ς_t, whose ratios are equal, from `lowest` (t = 1) to `highest` (t = T): ᾱ_t = 1/(1 + ς_t²), where
    /// x_t/√ᾱ_t = x_0 + ς_t·ε (Song & Ermon 2019, section 4.1).
    Geometric {
        /// ς_1.
        lowest: f64,
        /// ς_T.
        highest: f64,
    },
}

impl Schedule {
    /// The linear schedule of Ho et al. 2020 for T = 1000: β from 1e-4 to 0.02.
    pub const LINEAR: Self = Self::Linear { beta_first: 1e-4, beta_last: 0.02 };
    /// The cosine schedule of Nichol & Dhariwal 2021: s = 0.008, β ≤ 0.999.
    pub const COSINE: Self = Self::Cosine { s: 0.008, max_beta: 0.999 };
    /// The sigmoid schedule of Jabri et al. 2022 from −3 to 3 at τ = 1, with β ≤ 0.999.
    pub const SIGMOID: Self = Self::Sigmoid { start: -3.0, end: 3.0, tau: 1.0, max_beta: 0.999 };

    /// β_t of a schedule over T = `timesteps`. β_0 is 0, since ᾱ_0 is 1; beyond T it stays at β_T.
    pub fn beta(self, t: usize, timesteps: usize) -> f64 {
        let t = t.min(timesteps);
        if t == 0 {
            return 0.0;
        }
        match self {
            Self::Linear { beta_first, beta_last } => {
                if timesteps < 2 {
                    return beta_first;
                }
                beta_first + (beta_last - beta_first) * (t - 1) as f64 / (timesteps - 1) as f64
            }
            Self::Cosine { s, max_beta } => {
                let f = |t: usize| {
                    let phase = (t as f64 / timesteps as f64 + s) / (1.0 + s);
                    let c = libm::cos(phase * core::f64::consts::FRAC_PI_2);
                    c * c
                };
                (1.0 - f(t) / f(t - 1)).min(max_beta)
            }
            Self::Sigmoid { start, end, tau, max_beta } => {
                let s = |v: f64| 1.0 / (1.0 + libm::exp(-v / tau));
                // Without the common divisor s(end) − s(start), which β does not need.
                let f = |t: usize| s(end) - s(start + (end - start) * t as f64 / timesteps as f64);
                (1.0 - f(t) / f(t - 1)).min(max_beta)
            }
            Self::Geometric { lowest, highest } => {
                let level = |t: usize| match t {
                    0 => 0.0,
                    _ if timesteps < 2 => lowest,
                    t => lowest * libm::pow(highest / lowest, (t - 1) as f64 / (timesteps - 1) as f64),
                };
                let [before, now] = [level(t - 1), level(t)].map(|level| 1.0 + level * level);
                1.0 - before / now
            }
        }
    }

    /// Fills `alpha_bar[t - 1]` with ᾱ_t = ∏_{s ≤ t} (1 − β_s); T is the length of the slice.
    pub fn alpha_bars(self, alpha_bar: &mut [f64]) {
        let timesteps = alpha_bar.len();
        let mut product = 1.0;
        for (i, a) in alpha_bar.iter_mut().enumerate() {
            product *= 1.0 - self.beta(i + 1, timesteps);
            *a = product;
        }
    }
}

/// Moves and scales √ᾱ_t so that ᾱ_T = 0 and ᾱ_1 stays: the last timestep is then pure noise (Lin et al. 2023, algorithm 1).
///
/// Fewer than two timesteps, and tables that do not fall, stay as they are.
pub fn rescale_to_zero_terminal_snr(alpha_bar: &mut [f64]) {
    let [first, middle @ .., last] = alpha_bar else { return };
    let (root_first, root_last) = (libm::sqrt(*first), libm::sqrt(*last));
    // Also refuses NaN.
    if !matches!(root_first.partial_cmp(&root_last), Some(core::cmp::Ordering::Greater)) {
        return;
    }
    for a in middle {
        let root = (libm::sqrt(*a) - root_last) * (root_first / (root_first - root_last));
        *a = root * root;
    }
    *last = 0.0;
}

/// β̃ of the reverse step from a timestep with ᾱ = `alpha_bar` to an earlier one with
/// ᾱ = `alpha_bar_prev` (1 at t = 0): (1 − ᾱ_prev)/(1 − ᾱ)·β with β = 1 − ᾱ/ᾱ_prev. It is 0 where ᾱ does not rise,
/// since no noise is taken away there.
pub fn beta_tilde(alpha_bar: f64, alpha_bar_prev: f64) -> f64 {
    if alpha_bar >= alpha_bar_prev {
        return 0.0;
    }
    (1.0 - alpha_bar_prev) / (1.0 - alpha_bar) * (1.0 - alpha_bar / alpha_bar_prev)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// t = 0, t > T and T = 0 have values, too.
    #[test]
    fn beta_is_defined_everywhere() {
        for schedule in [Schedule::LINEAR, Schedule::COSINE, Schedule::SIGMOID] {
            assert_eq!([0, 1, 1000].map(|timesteps| schedule.beta(0, timesteps)), [0.0; 3]);
            assert_eq!(schedule.beta(5, 0), 0.0);
            assert_eq!(schedule.beta(1001, 1000), schedule.beta(1000, 1000));
            assert_eq!(schedule.beta(usize::MAX, 7), schedule.beta(7, 7));
            for timesteps in 1..4 {
                assert!((1..=timesteps).all(|t| (0.0..1.0).contains(&schedule.beta(t, timesteps))));
            }
            schedule.alpha_bars(&mut []);
        }
    }

    #[test]
    fn posterior_variance_is_defined_where_nothing_happens() {
        for (alpha_bar, alpha_bar_prev) in [(1.0, 1.0), (0.0, 0.0), (0.5, 0.5), (0.7, 0.3)] {
            assert_eq!(beta_tilde(alpha_bar, alpha_bar_prev), 0.0);
        }
        assert_eq!(beta_tilde(0.0, 0.25), 0.75);
    }

    #[test]
    fn tables_that_do_not_fall_are_not_rescaled() {
        for table in [[0.5, 0.5, 0.5], [0.1, 0.5, 0.9], [f64::NAN, 0.5, 0.1]] {
            let mut rescaled = table;
            rescale_to_zero_terminal_snr(&mut rescaled);
            assert_eq!(rescaled.map(f64::to_bits), table.map(f64::to_bits));
        }
    }
}
