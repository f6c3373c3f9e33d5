//! Sampling plans: every sampler of the family as a table of one affine update.
//!
//! With F the network's output, a step computes
//!
//! ```text
//! x0_hat = clip(k_x·x_t + k_eps·F)
//! x      = a·x_t + b·x0_hat + c·x0_hat_prev + sigma·z
//! ```
//!
//! The coefficients are made here in f64 on the host and exported as f32. With α = √ᾱ_t and
//! σ = √(1 − ᾱ_t), and primes for the timestep that the step goes to:
//!
//! * DDPM (Ho et al. 2020, equations 6 and 7): a, b are the posterior mean's coefficients of x_t and
//!   x0_hat; sigma² is β_t or β̃_t.
//! * DDIM (Song et al. 2021, equation 12): x' = α'·x0_hat + √(σ'² − s²)·ε̂ + s·z with s = η·√β̃.
//! * DPM-Solver++(2M) (Lu et al. 2022, algorithm 2), first order at the first and the last step. From ᾱ = 0,
//!   where λ is −∞, the step is the limit σ'·x + α'·x0_hat, and the step after it is of first order.

use crate::schedule::beta_tilde;
use core::fmt;

pub use crate::spacing::Spacing;

/// What the network's output F stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// F = ε̂; x0_hat = (x_t − σ·F)/α.
    Epsilon,
    /// F = v̂ = α·ε − σ·x_0 (Salimans & Ho 2022); x0_hat = α·x_t − σ·F.
    V,
    /// F = x0_hat.
    X0,
}

impl Prediction {
    /// (k_x, k_eps) at a timestep with ᾱ = `alpha_bar`.
    pub fn x0_coefficients(self, alpha_bar: f64) -> (f64, f64) {
        let (alpha, sigma) = (libm::sqrt(alpha_bar), libm::sqrt(1.0 - alpha_bar));
        match self {
            Self::Epsilon => (1.0 / alpha, -sigma / alpha),
            Self::V => (alpha, -sigma),
            Self::X0 => (0.0, 1.0),
        }
    }
}

/// Which variance an ancestral step adds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variance {
    /// σ² = β_t.
    Beta,
    /// σ² = β̃_t, the posterior's.
    BetaTilde,
}

/// The sampling method of a plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Ancestral sampling.
    Ddpm(Variance),
    /// DDIM with stochasticity `eta`: 0 deterministic, 1 ancestral.
    Ddim {
        /// Factor on √β̃.
        eta: f64,
    },
    /// DPM-Solver++(2M), deterministic.
    DpmSolver2M,
}

/// One step of a plan as the chip runs it; see the module's equations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Step {
    /// Training timestep t whose ε̂ this step evaluates.
    pub timestep: u32,
    /// Row of the model's time table that holds t's channel biases.
    pub time_row: u32,
    /// Weight of x_t in x0_hat.
    pub k_x: f32,
    /// Weight of the network's output in x0_hat.
    pub k_eps: f32,
    /// Weight of x_t in the next x.
    pub a: f32,
    /// Weight of x0_hat in the next x.
    pub b: f32,
    /// Weight of the previous step's x0_hat in the next x.
    pub c: f32,
    /// Standard deviation of the added noise; 0 adds none.
    pub sigma: f32,
    /// What x_t is made of when this step begins.
    pub level: Level,
}

/// How much of a state is image and how much is noise: x_t = signal·x_0 + noise·ε.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Level {
    /// √ᾱ_t.
    pub signal: f32,
    /// √(1 − ᾱ_t).
    pub noise: f32,
}

impl Level {
    /// The end of every chain: the image itself.
    pub const CLEAN: Self = Self { signal: 1.0, noise: 0.0 };
}

/// Bytes of an encoded step.
pub const STEP_LEN: usize = 40;

impl Step {
    /// The little-endian words of a step, in the order of the fields.
    pub fn encode(&self) -> [u8; STEP_LEN] {
        let mut bytes = [0; STEP_LEN];
        let words = [self.timestep, self.time_row].into_iter().chain(self.reals().map(f32::to_bits));
        for (slot, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
            *slot = word.to_le_bytes();
        }
        bytes
    }

    /// The inverse of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8; STEP_LEN]) -> Self {
        let word = |i: usize| u32::from_le_bytes(bytes.as_chunks::<4>().0.get(i).copied().unwrap_or([0; 4]));
        let real = |i: usize| f32::from_bits(word(i));
        Self {
            timestep: word(0),
            time_row: word(1),
            k_x: real(2),
            k_eps: real(3),
            a: real(4),
            b: real(5),
            c: real(6),
            sigma: real(7),
            level: Level { signal: real(8), noise: real(9) },
        }
    }

    fn reals(&self) -> [f32; 8] {
        [self.k_x, self.k_eps, self.a, self.b, self.c, self.sigma, self.level.signal, self.level.noise]
    }

    /// Whether all coefficients are finite, which parsing demands.
    pub fn is_finite(&self) -> bool {
        self.reals().iter().all(|v| v.is_finite())
    }

    /// x0_hat = clip(k_x·x + k_eps·F) of one element, F being the network's `output` for it.
    #[inline]
    pub fn x0_hat(&self, clip: bool, x: f32, output: f32) -> f32 {
        let x0_hat = self.k_x * x + self.k_eps * output;
        if !clip {
            return x0_hat;
        }
        // Comparisons rather than min and max, so that NaN takes the same path everywhere.
        let x0_hat = if x0_hat > 1.0 { 1.0 } else { x0_hat };
        if x0_hat < -1.0 {
            -1.0
        } else {
            x0_hat
        }
    }
}

/// Why a plan could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PlanError {
    /// No timesteps, or more steps than `out` holds.
    Length,
    /// Timesteps are not strictly falling within 1..=T; the index of the first wrong one.
    Timesteps(usize),
    /// More steps than timesteps from the first one down.
    TooMany {
        /// Steps asked for.
        steps: usize,
        /// The first timestep.
        first: u32,
    },
    /// ε-prediction at a timestep with ᾱ = 0, where ε̂ says nothing about x_0.
    NoSignal {
        /// The timestep.
        timestep: u32,
    },
    /// ᾱ does not fall strictly from 1 at t = 0 to T, where it may be 0.
    Schedule {
        /// The first timestep at which it does not.
        timestep: u32,
    },
    /// A coefficient of this step is not finite.
    NotFinite(usize),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length => f.write_str("it has no steps, or more than there is room for"),
            Self::Timesteps(step) => {
                write!(f, "the timestep of step {step} is not below the one before it, or not from 1 to T")
            }
            Self::TooMany { steps, first } => write!(f, "{steps} steps do not fit {first} timesteps"),
            Self::NoSignal { timestep } => write!(
                f,
                "epsilon-prediction cannot start at timestep {timestep}, where alpha_bar is 0: predict v or x0, or \
                 start lower"
            ),
            Self::Schedule { timestep } => {
                write!(f, "alpha_bar does not fall strictly within 0 to 1 at timestep {timestep}")
            }
            Self::NotFinite(step) => write!(f, "a coefficient of step {step} is not finite"),
        }
    }
}

impl core::error::Error for PlanError {}

/// Fills `out` with the steps from `timesteps[0]` down to 0; `alpha_bar[t − 1]` is ᾱ_t.
///
/// `time_row` is left 0. Returns the number of steps.
///
/// # Errors
/// Timesteps, a schedule or a prediction from which no plan can be made; see [`PlanError`].
pub fn build(
    method: Method,
    prediction: Prediction,
    alpha_bar: &[f64],
    timesteps: &[u32],
    out: &mut [Step],
) -> Result<usize, PlanError> {
    if timesteps.is_empty() || timesteps.len() > out.len() {
        return Err(PlanError::Length);
    }
    let bar = |t: u32| if t == 0 { Some(1.0) } else { alpha_bar.get(t as usize - 1).copied() };
    let mut h_prev = None;
    for (i, (&t, step)) in timesteps.iter().zip(out.iter_mut()).enumerate() {
        let next = timesteps.get(i + 1).copied().unwrap_or(0);
        let (Some(now), Some(then), true) = (bar(t), bar(next), t > next) else {
            return Err(PlanError::Timesteps(i));
        };
        // Also refuses NaN.
        if !(now >= 0.0 && now < then && then <= 1.0) {
            return Err(PlanError::Schedule { timestep: t });
        }
        if now == 0.0 && prediction == Prediction::Epsilon {
            return Err(PlanError::NoSignal { timestep: t });
        }
        let (k_x, k_eps) = prediction.x0_coefficients(now);
        let [a, b, c, sigma] = match method {
            Method::Ddpm(variance) => ancestral(variance, now, then),
            Method::Ddim { eta } => ddim(eta, now, then),
            Method::DpmSolver2M => dpm_solver(&mut h_prev, now, then),
        };
        *step = Step {
            timestep: t,
            time_row: 0,
            k_x: k_x as f32,
            k_eps: k_eps as f32,
            a: a as f32,
            b: b as f32,
            c: c as f32,
            sigma: if next == 0 { 0.0 } else { sigma as f32 },
            level: Level { signal: libm::sqrt(now) as f32, noise: libm::sqrt(1.0 - now) as f32 },
        };
        if !step.is_finite() {
            return Err(PlanError::NotFinite(i));
        }
    }
    Ok(timesteps.len())
}

/// [a, b, c, sigma] of an ancestral step from ᾱ = `now` to ᾱ = `then`.
fn ancestral(variance: Variance, now: f64, then: f64) -> [f64; 4] {
    let alpha = now / then;
    let beta = 1.0 - alpha;
    let posterior_mean_coef_xt = libm::sqrt(alpha) * (1.0 - then) / (1.0 - now);
    let posterior_mean_coef_x0 = libm::sqrt(then) * beta / (1.0 - now);
    let sigma = libm::sqrt(match variance {
        Variance::Beta => beta,
        Variance::BetaTilde => beta_tilde(now, then),
    });
    [posterior_mean_coef_xt, posterior_mean_coef_x0, 0.0, sigma]
}

fn ddim(eta: f64, now: f64, then: f64) -> [f64; 4] {
    let sigma = eta * libm::sqrt(beta_tilde(now, then));
    let a = libm::sqrt((1.0 - then - sigma * sigma).max(0.0) / (1.0 - now));
    [a, libm::sqrt(then) - a * libm::sqrt(now), 0.0, sigma]
}

fn dpm_solver(h_prev: &mut Option<f64>, now: f64, then: f64) -> [f64; 4] {
    let (alpha_then, sigma_now, sigma_then) = (libm::sqrt(then), libm::sqrt(1.0 - now), libm::sqrt(1.0 - then));
    if then >= 1.0 {
        return [0.0, 1.0, 0.0, 0.0];
    }
    let lambda = |bar: f64| 0.5 * libm::log(bar / (1.0 - bar));
    let h = lambda(then) - lambda(now);
    let gain = -alpha_then * libm::expm1(-h);
    // D = (1 + 1/(2r))·x0_hat − 1/(2r)·x0_hat_prev with r = h_prev/h.
    let blend = h_prev.map_or(0.0, |p| h / (2.0 * p));
    *h_prev = Some(h);
    [sigma_then / sigma_now, gain * (1.0 + blend), -gain * blend, 0.0]
}
