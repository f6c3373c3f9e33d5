//! From a schedule, timesteps and a method to the steps of a plan.

use super::error::PlanError;
use super::method::{Method, Transition};
use super::prediction::Prediction;
use super::step::{Level, Step};

/// Fills `out` with the steps from `timesteps[0]` down to 0; `alpha_bar[t − 1]` is ᾱ_t.
///
/// Timesteps fall, or stay for methods whose steps may: see [`MethodSpec::repeats`](super::MethodSpec::repeats) and
/// [`Method::corrected`]. A step goes to the level of the next timestep, the last step to the image, without noise unless
/// [`MethodSpec::ends_with_noise`](super::MethodSpec::ends_with_noise). `time_row` is left 0. Returns the number of steps.
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
    build_with_errors(method, prediction, alpha_bar, &[], timesteps, out)
}

/// Like [`build`], for methods that [need](Method::needs_errors) the mean squared error of x0_hat: at timestep t it is
/// `errors[t − 1]`.
///
/// # Errors
/// As [`build`], and such a method without a table as long as the schedule.
pub fn build_with_errors(
    method: Method,
    prediction: Prediction,
    alpha_bar: &[f64],
    errors: &[f64],
    timesteps: &[u32],
    out: &mut [Step],
) -> Result<usize, PlanError> {
    if method.needs_errors() && errors.len() != alpha_bar.len() {
        return Err(PlanError::NoErrors);
    }
    if timesteps.is_empty() || timesteps.len() > out.len() {
        return Err(PlanError::Length);
    }
    let bar = |t: u32| if t == 0 { Some(1.0) } else { alpha_bar.get(t as usize - 1).copied() };
    let mut before = None;
    for (i, (&t, step)) in timesteps.iter().zip(out.iter_mut()).enumerate() {
        let next = timesteps.get(i + 1).copied().unwrap_or(0);
        let (Some(now), Some(then), true) = (bar(t), bar(next), t >= next && t > 0) else {
            return Err(PlanError::Timesteps(i));
        };
        // Also refuses NaN.
        if !(now >= 0.0 && (now < then || t == next) && then <= 1.0) {
            return Err(PlanError::Schedule { timestep: t });
        }
        if now == 0.0 && prediction == Prediction::Epsilon {
            return Err(PlanError::NoSignal { timestep: t });
        }
        let error = errors.get(t as usize - 1).copied().unwrap_or(0.0);
        let (k_x, k_eps) = prediction.x0_coefficients(now);
        let Some(coefficients) = method.coefficients(Transition { before, now, then, error }) else {
            return Err(PlanError::Repeated { step: i, method: method.spec().name });
        };
        *step = Step {
            timestep: t,
            time_row: 0,
            k_x: k_x as f32,
            k_eps: k_eps as f32,
            a: coefficients.a as f32,
            b: coefficients.b as f32,
            c: coefficients.c as f32,
            sigma: if next > 0 || method.spec().ends_with_noise { coefficients.sigma as f32 } else { 0.0 },
            level: Level { signal: libm::sqrt(now) as f32, noise: libm::sqrt(1.0 - now) as f32 },
        };
        if !step.is_finite() {
            return Err(PlanError::NotFinite(i));
        }
        // Behind a corrector's step there is no x0_hat of another level to look back at.
        before = (t != next).then_some(now);
    }
    Ok(timesteps.len())
}
