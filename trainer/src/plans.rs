//! Plans with names, as chains on the host follow them and model files get them.

use crate::steps::Steps;
use crate::{Error, Result};
use brownian::host::{PlanSpec, PlanSpecError};
use brownian::plan::{Prediction, Start};
use brownian::random::Stream;

/// A plan with a name: what a chain follows on the host, and what a model file gets.
#[derive(Clone, Debug, PartialEq)]
pub struct NamedPlan {
    /// Name in the model.
    pub name: String,
    /// Whether x0_hat is clipped to [-1, 1].
    pub clip: bool,
    /// What x_T is drawn from, of the Gaussian process.
    pub start: Start,
    /// Steps; lowering sets their time rows.
    pub steps: Steps,
    /// The timestep of each, with a fraction where the plan has a schedule of its own.
    pub times: Vec<f64>,
}

impl From<PlanSpecError> for Error {
    fn from(error: PlanSpecError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl NamedPlan {
    /// The plan that a spec asks for, of the Gaussian process.
    ///
    /// # Errors
    /// As [`PlanSpec::steps`].
    pub fn new(spec: &PlanSpec, prediction: Prediction, alpha_bar: &[f64], errors: &[f64]) -> Result<Self> {
        let steps = Steps::Gaussian(spec.steps(prediction, alpha_bar, errors)?);
        let times = spec.times(alpha_bar)?;
        Ok(Self { name: spec.name.clone(), clip: spec.clip, start: spec.start, steps, times })
    }

    /// The plan that a spec asks for, over bits.
    ///
    /// # Errors
    /// As [`PlanSpec::bit_steps`].
    pub fn of_bits(spec: &PlanSpec, kept: &[f64], mean: f64) -> Result<Self> {
        let steps = Steps::Binomial(spec.bit_steps(kept, mean)?);
        Ok(Self { clip: false, ..Self::whole(&spec.name, steps) })
    }

    /// A plan of these steps, clipped, that starts from N(0, 1), and whose timesteps have no fractions.
    pub fn whole(name: &str, steps: Steps) -> Self {
        let times = steps.timesteps().map(f64::from).collect();
        Self { name: name.into(), clip: true, start: Start::Normal, steps, times }
    }

    /// The standard deviation of x_T, of the Gaussian process.
    pub fn start_deviation(&self) -> f32 {
        self.steps.gaussian().first().map_or(1.0, |step| self.start.deviation(step.level))
    }

    /// Sets the values of an image to x_T of this draw.
    pub fn begin(&self, x: &mut [f32], stream: Stream) {
        self.steps.begin(x, stream);
        if self.start == Start::Noise {
            let deviation = self.start_deviation();
            x.iter_mut().for_each(|value| *value *= deviation);
        }
    }

    /// The plan of a process on `scale` times the data, which ends in the data's own units.
    pub fn scaled(mut self, scale: f64) -> Self {
        if let (true, Steps::Gaussian(steps)) = (scale != 1.0, &mut self.steps) {
            let last = steps.len().saturating_sub(1);
            for (i, step) in steps.iter_mut().enumerate() {
                *step = step.scaled(scale as f32, i == last);
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With an exact network, chains on scaled data are those on the data, as far as their noise starts as large.
    #[test]
    fn a_scaled_plan_ends_in_the_units_of_the_data() {
        let bars: Vec<f64> = (1..=100).map(|t| 1.0 - f64::from(t) / 101.0).collect();
        for text in ["dpm:6:noclip", "ddim:5:noclip", "ddpm:9:noclip"] {
            let plan = NamedPlan::new(&text.parse().unwrap(), Prediction::X0, &bars, &[]).unwrap();
            let scaled = plan.clone().scaled(5.0);
            let chain = |plan: &NamedPlan, x0: f32| {
                let (mut x, mut previous) = (0.7f32, x0);
                for (i, step) in plan.steps.gaussian().iter().enumerate() {
                    // F is x0 in the units of the process.
                    let x0_hat = step.k_x * x + step.k_eps * 0.5;
                    assert!((x0_hat - x0).abs() < 1e-5, "{text}");
                    let c = if i == 0 { 0.0 } else { step.c };
                    let b = if i == 0 { step.b + step.c } else { step.b };
                    x = step.a * x + b * x0_hat + c * previous;
                    previous = x0_hat;
                }
                x
            };
            assert!((chain(&plan, 0.5) / 5.0 - chain(&scaled, 0.1)).abs() < 1e-5, "{text}");
            let level = |plan: &NamedPlan| plan.steps.gaussian()[0].level.signal;
            assert_eq!(level(&scaled), 5.0 * level(&plan));
        }
    }
}
