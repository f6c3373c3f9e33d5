//! The steps of a plan on a schedule.

use super::{First, PlanSpec, PlanSpecError, Result, BITS, MOST_STEPS};
use crate::plan::{self, BitStep, Prediction, Spacing, Step};
use std::format;
use std::string::ToString;
use std::vec;
use std::vec::Vec;

/// Most levels that are taken without being asked for.
const MOST_LEVELS: usize = 100;

impl PlanSpec {
    /// Builds the steps for a network with this prediction on this schedule; `alpha_bar[t − 1]` is ᾱ_t, and `errors[t − 1]`
    /// the mean squared error of x0_hat where that is learned (else there are none).
    ///
    /// # Errors
    /// More steps than timesteps, a start beyond T, ε-prediction from ᾱ = 0, or a plan over bits.
    pub fn steps(&self, prediction: Prediction, alpha_bar: &[f64], errors: &[f64]) -> Result<Vec<Step>> {
        let Some(method) = self.method else {
            return Err(self.fail(format!("{BITS} is of the binomial process, and the run of the Gaussian one")));
        };
        let built = |alpha_bar: &[f64], errors: &[f64], timesteps: &[u32]| {
            let mut steps = vec![Step::default(); timesteps.len()];
            plan::build_with_errors(method, prediction, alpha_bar, errors, timesteps, &mut steps)
                .map_err(|e| self.fail(e))?;
            Ok(steps)
        };
        let Some(levels) = self.own_levels() else {
            return built(alpha_bar, errors, &self.visited(alpha_bar)?);
        };
        if method.needs_errors() {
            return Err(self.fail("variance=learned is of the timesteps of training, and its betas lie between them"));
        }
        let numbers: Vec<u32> = (1..=levels.len() as u32).rev().collect();
        let mut steps = built(&levels, &[], &numbers)?;
        for (step, time) in steps.iter_mut().zip(self.times(alpha_bar)?) {
            step.timestep = (time.round() as u32).max(1);
        }
        Ok(steps)
    }

    /// The timestep of every step, with a fraction where the plan has a schedule of its own: what the network's time
    /// biases are made of. [`Step::timestep`] is the nearest timestep.
    ///
    /// # Errors
    /// As [`steps`](Self::steps), and betas that lead beyond the schedule's noise.
    pub fn times(&self, alpha_bar: &[f64]) -> Result<Vec<f64>> {
        let Some(levels) = self.own_levels() else {
            return Ok(self.visited(alpha_bar)?.into_iter().map(f64::from).collect());
        };
        let time = |level: &f64| {
            plan::aligned(alpha_bar, *level).ok_or_else(|| {
                let last = alpha_bar.last().copied().unwrap_or(1.0);
                self.fail(format!(
                    "its betas lead to alpha_bar {level:.3e}, and the schedule ends at {last:.3e}: give smaller betas, or \
                     train with a schedule of more noise"
                ))
            })
        };
        levels.iter().rev().map(time).collect()
    }

    /// ᾱ of the levels of a schedule of its own, the least noise first.
    fn own_levels(&self) -> Option<Vec<f64>> {
        let mut level = 1.0;
        let fall = |beta: &f64| {
            level *= 1.0 - beta;
            level
        };
        Some(self.betas.as_ref()?.iter().map(fall).collect())
    }

    /// Builds the steps for a network over bits; `kept[t − 1]` is ḡ_t, `mean` is π.
    ///
    /// # Errors
    /// More steps than timesteps, a start beyond T, a spacing by a signal-to-noise ratio, or a method of the Gaussian
    /// process.
    pub fn bit_steps(&self, kept: &[f64], mean: f64) -> Result<Vec<BitStep>> {
        if let Some(method) = self.method {
            let name = method.spec().name;
            return Err(self.fail(format!(
                "{name} is of the Gaussian process, and the run of the binomial one: give {BITS}:STEPS"
            )));
        }
        if let Some(spacing @ (Spacing::LogSnr | Spacing::Karras)) = self.spacing {
            let name = spacing.name();
            return Err(
                self.fail(format!("spacing={name}: bits have no signal-to-noise ratio; give uniform or quadratic"))
            );
        }
        let timesteps = self.visited(kept)?;
        let mut steps = vec![BitStep::default(); timesteps.len()];
        plan::build_bits(kept, mean, &timesteps, &mut steps).map_err(|e| self.fail(e))?;
        Ok(steps)
    }

    /// The timestep of every step.
    fn visited(&self, alpha_bar: &[f64]) -> Result<Vec<u32>> {
        let last = alpha_bar.len() as u32;
        let [first, lowest] = [self.first, self.last].map(|timestep| match timestep {
            First::Timestep(t) => t,
            First::Share(share) => ((share * f64::from(last)).round() as u32).max(1),
        });
        if first > last {
            return Err(self.fail(format!("it starts at timestep {first}, but the schedule ends at {last}")));
        }
        if lowest > first {
            return Err(self.fail(format!("its last timestep, {lowest}, lies above its first, {first}")));
        }
        // Spaced as if the schedule began at the lowest.
        let below = lowest - 1;
        let above = self.timesteps(first - below, &alpha_bar[below as usize..]).map_err(|e| self.fail(e))?;
        let timesteps: Vec<u32> = above.into_iter().map(|t| t + below).collect();
        if timesteps.len() > MOST_STEPS {
            return Err(self.fail(format!("{} steps; a plan has at most {MOST_STEPS}", timesteps.len())));
        }
        Ok(timesteps)
    }

    /// The timestep of every step, from `first` on.
    fn timesteps(&self, first: u32, alpha_bar: &[f64]) -> Result<Vec<u32>> {
        let repeats = self.method.is_some_and(|method| method.spec().repeats);
        let count = match self.levels {
            _ if !repeats => self.steps,
            Some(levels) => levels,
            None if first as usize <= MOST_LEVELS => first as usize,
            None => {
                let what =
                    format!("the schedule has {first} timesteps down from its start; say with levels=N how many");
                return Err(PlanSpecError(format!("{what} of them are levels")));
            }
        };
        // The lowest level is the last timestep's.
        let usual = if repeats { Spacing::LogSnr } else { Spacing::Uniform };
        let mut visited = vec![0; count];
        self.spacing
            .unwrap_or(usual)
            .timesteps(first, alpha_bar, &mut visited)
            .map_err(|e| PlanSpecError(e.to_string()))?;
        let times = |i: usize| match (repeats, i) {
            (true, _) => self.steps,
            (false, 0) => 1,
            (false, _) => 1 + self.corrector,
        };
        let mut timesteps: Vec<u32> =
            visited.iter().enumerate().flat_map(|(i, t)| core::iter::repeat_n(*t, times(i))).collect();
        if self.method.and_then(|method| method.value("denoise")) == Some(1.0) {
            timesteps.extend(visited.last());
        }
        Ok(timesteps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Start, FAST6};

    fn timesteps(steps: &[Step]) -> Vec<u32> {
        steps.iter().map(|step| step.timestep).collect()
    }

    #[test]
    fn timesteps_lie_between_the_first_and_the_last() {
        let bars: Vec<f64> = (1..=100).map(|t| 1.0 - f64::from(t) / 101.0).collect();
        let visited = |text: &str| -> Result<Vec<u32>> {
            Ok(timesteps(&text.parse::<PlanSpec>()?.steps(Prediction::V, &bars, &[])?))
        };
        let spaced = visited("dpm:5:spacing=logsnr:first=0.9:last=0.1").unwrap();
        assert_eq!((spaced[0], spaced[4]), (90, 10));
        assert_eq!(visited("ddim:2:first=9:last=6").unwrap(), [9, 7]);
        assert!(visited("ddim:2:first=9:last=10").unwrap_err().to_string().contains("lies above its first"));
    }

    #[test]
    fn levels_and_correctors_repeat_timesteps() {
        let bars: Vec<f64> = (1..=1000).map(|t| 1.0 / (1.0 + (f64::from(t) * 0.01).powi(2))).collect();
        let build = |text: &str, bars: &[f64]| text.parse::<PlanSpec>().unwrap().steps(Prediction::V, bars, &[]);
        let timesteps = |text: &str, bars: &[f64]| timesteps(&build(text, bars).unwrap());
        assert_eq!(timesteps("langevin:2", &bars[..3]), [3, 3, 2, 2, 1, 1]);
        assert_eq!(timesteps("langevin:2:denoise:levels=2", &bars[..3]), [3, 3, 1, 1, 1]);
        assert_eq!(timesteps("langevin:1:levels=3:first=10", &bars), [10, 3, 1]);
        assert_eq!(timesteps("ddim:3:corrector=2", &bars[..9]), [9, 6, 6, 6, 3, 3, 3]);
        let many = build("langevin:2", &bars).unwrap_err();
        assert!(many.to_string().contains("1000 timesteps") && many.to_string().contains("levels=N"), "{many}");
        let long = build("langevin:10000:levels=10", &bars).unwrap_err();
        assert!(long.to_string().contains("100000 steps; a plan has at most 65535"), "{long}");
    }

    #[test]
    fn too_many_steps_are_refused() {
        let bars: Vec<f64> = (1..=10).map(|t| 1.0 - f64::from(t) / 10.0).collect();
        let error = |text: &str, prediction| {
            text.parse::<PlanSpec>().unwrap().steps(prediction, &bars, &[]).unwrap_err().to_string()
        };
        assert!(error("ddim:11", Prediction::V).contains("11 steps do not fit 10 timesteps"));
        assert!(error("ddim:6:first=0.5:spacing=logsnr", Prediction::V).contains("6 steps do not fit 5 timesteps"));
        assert!(error("ddim:5:first=11", Prediction::V).contains("ends at 10"));
        assert!(error("ddim:5", Prediction::Epsilon).contains("epsilon-prediction cannot start at timestep 10"));
        for spec in ["ddim:5:first=9", "dpm:10:spacing=quadratic:first=9"] {
            let built = spec.parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]);
            assert_eq!(built.is_ok(), spec.starts_with("ddim"));
        }
        let collide: PlanSpec = "dpm:9:spacing=quadratic:first=9".parse().unwrap();
        let steps = collide.steps(Prediction::Epsilon, &bars, &[]).unwrap();
        assert_eq!(timesteps(&steps), [9, 8, 7, 6, 5, 4, 3, 2, 1]);
    }

    /// DiffWave's fast sampling, and any method on a schedule of its own.
    #[test]
    fn plans_have_schedules_of_their_own() {
        let mut bars = vec![0.0; 50];
        plan::schedule::Schedule::Linear { beta_first: 1e-4, beta_last: 0.05 }.alpha_bars(&mut bars);
        let fast: PlanSpec = "diffwave:fast6".parse().unwrap();
        assert_eq!((&fast.name[..], fast.steps, fast.start), ("diffwave:fast6", 6, Start::Normal));
        let (steps, times) = (fast.steps(Prediction::Epsilon, &bars, &[]).unwrap(), fast.times(&bars).unwrap());
        assert_eq!(timesteps(&steps), [44, 24, 11, 5, 2, 1]);
        assert!((times[2] - 11.45).abs() < 0.01 && (times[5] - 1.0).abs() < 1e-9, "{times:?}");
        // Algorithm 2 of the paper: x = (x − β/√(1 − ᾱ)·ε̂)/√(1 − β) + σ̃·z.
        let mut level = 1.0;
        for (s, (beta, step)) in FAST6.into_iter().zip(steps.iter().rev()).enumerate() {
            let before: f64 = level;
            level *= 1.0 - beta;
            let noise = (1.0 - level).sqrt();
            let of_x = f64::from(step.a + step.b * step.k_x);
            let of_eps = f64::from(step.b * step.k_eps);
            assert!((of_x - 1.0 / (1.0 - beta).sqrt()).abs() < 1e-5, "{s}");
            assert!((of_eps + beta / noise / (1.0 - beta).sqrt()).abs() < 1e-5, "{s}");
            let sigma = if s == 0 { 0.0 } else { ((1.0 - before) / (1.0 - level) * beta).sqrt() };
            assert!((f64::from(step.sigma) - sigma).abs() < 1e-6, "{s}");
            assert!((f64::from(step.level.noise) - noise).abs() < 1e-6);
        }
        // Over all timesteps it is ancestral sampling.
        let whole = |text: &str| text.parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]).unwrap();
        assert_eq!(whole("diffwave:50"), whole("ddpm:50:variance=beta-tilde"));
        let own: PlanSpec = "quick=dpm:1e-3,0.1,0.5:start=noise:noclip".parse().unwrap();
        assert_eq!((&own.name[..], own.steps, own.start, own.clip), ("quick", 3, Start::Noise, false));
        assert_eq!("ddim:0.1".parse::<PlanSpec>().unwrap().name, "ddim1");
        assert_eq!(own.betas, Some(vec![1e-3, 0.1, 0.5]));
        // Whole timesteps have no fractions.
        assert_eq!("ddim:5".parse::<PlanSpec>().unwrap().times(&bars).unwrap(), [50.0, 40.0, 30.0, 20.0, 10.0]);
        for (text, word) in [
            ("dpm:fast7", "nor fast6, nor betas"),
            ("dpm:0.1,2", "\"2\" is no beta"),
            ("dpm:0.1,,0.2", "\"\" is no beta"),
            ("dpm:-0.1", "is no beta"),
            ("langevin:fast6", "takes a number of steps, no betas"),
            ("bits:fast6", "takes a number of steps, no betas"),
            ("dpm:fast6:first=0.9", "leave first out"),
            ("dpm:fast6:spacing=logsnr", "leave spacing out"),
            ("dpm:fast6:corrector=1", "leave corrector out"),
            ("dpm:5:start=loud", "start is normal or noise"),
            ("bits:5:start=noise", "bits takes first=, last= and spacing= alone"),
        ] {
            let error = text.parse::<PlanSpec>().unwrap_err().to_string();
            assert!(error.contains(word), "{text}: {error}");
        }
        let far = "dpm:0.5,0.9".parse::<PlanSpec>().unwrap().steps(Prediction::Epsilon, &bars, &[]).unwrap_err();
        assert!(far.to_string().contains("lead to alpha_bar 5.000e-2, and the schedule ends at 2.797e-1"), "{far}");
        let learned = "ddpm:fast6:variance=learned".parse::<PlanSpec>().unwrap();
        let learned = learned.steps(Prediction::Epsilon, &bars, &[0.0; 50]).unwrap_err();
        assert!(learned.to_string().contains("between them"), "{learned}");
    }

    #[test]
    fn plans_over_bits_are_of_their_process() {
        let kept: Vec<f64> = (1..=10).map(|t| 1.0 - f64::from(t) / 10.0).collect();
        let build = |text: &str| text.parse::<PlanSpec>().unwrap().bit_steps(&kept, 0.5);
        let visited = |text: &str| build(text).unwrap().iter().map(|step| step.timestep).collect::<Vec<_>>();
        assert_eq!(visited("bits:3"), [10, 7, 4]);
        assert_eq!(visited("bits:2:first=5:spacing=quadratic"), [5, 1]);
        for (text, reason) in [
            ("ddim:5", "plan ddim5: ddim is of the Gaussian process"),
            ("bits:11", "11 steps do not fit 10 timesteps"),
            ("bits:5:spacing=logsnr", "give uniform or quadratic"),
            ("bits:5:first=11", "ends at 10"),
        ] {
            let error = build(text).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        let gaussian = "bits:3".parse::<PlanSpec>().unwrap().steps(Prediction::V, &kept[..9], &[]).unwrap_err();
        assert!(gaussian.to_string().contains("bits is of the binomial process"), "{gaussian}");
    }
}
