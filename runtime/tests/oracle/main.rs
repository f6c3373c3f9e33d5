//! The sampler's update rule against distributions that are known in closed form.
//!
//! Data are N(0, 0.25) and ε is exact: x_t has variance 0.25·ᾱ + 1 − ᾱ, so E[ε | x_t] = √(1 − ᾱ)·x_t divided by
//! it. Every step is then linear in x and z. Element j of the state is given noise at draw j alone, so that
//! the final standard deviation is the root of the sum of the squares over all elements.

mod langevin;
mod product;
mod start;

use brownian::plan::schedule::Schedule;
use brownian::plan::{build, Level, Method, PlanError, Prediction, Spacing, Step, Variance};
use brownian::process::gaussian::{update, x0_hat};
use proptest::prelude::*;

const DATA_VARIANCE: f64 = 0.25;

fn alpha_bars() -> Vec<f64> {
    alpha_bars_of(Schedule::LINEAR, 1000)
}

fn alpha_bars_of(schedule: Schedule, timesteps: usize) -> Vec<f64> {
    let mut alpha_bar = vec![0.0; timesteps];
    schedule.alpha_bars(&mut alpha_bar);
    alpha_bar
}

fn plan(method: Method, prediction: Prediction, steps: usize) -> Vec<Step> {
    spaced_plan(Spacing::Uniform, &alpha_bars(), method, prediction, steps)
}

fn spaced_plan(spacing: Spacing, bars: &[f64], method: Method, prediction: Prediction, steps: usize) -> Vec<Step> {
    let mut timesteps = vec![0; steps];
    spacing.timesteps(bars.len() as u32, bars, &mut timesteps).unwrap();
    let mut plan = vec![Step::default(); steps];
    assert_eq!(build(method, prediction, bars, &timesteps, &mut plan), Ok(steps));
    plan
}

/// ᾱ of the linear schedule, shifted and scaled in √ᾱ so that √ᾱ_T = 0 and √ᾱ_1 stays (Lin et al. 2024, algorithm 1).
fn zero_terminal() -> Vec<f64> {
    let root: Vec<f64> = alpha_bars().iter().map(|bar| bar.sqrt()).collect();
    let (first, last) = (root[0], root[999]);
    root.iter().map(|r| ((r - last) * first / (first - last)).powi(2)).collect()
}

/// The network's output F for the exact ε at state `x`.
fn exact_output(prediction: Prediction, alpha_bar: f64, x: f64) -> f64 {
    let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    let epsilon = sigma * x / (DATA_VARIANCE * alpha_bar + 1.0 - alpha_bar);
    // E[x_0 | x_t], which is (x − sigma·epsilon)/alpha where alpha is not 0.
    let x0 = DATA_VARIANCE * alpha * x / (DATA_VARIANCE * alpha_bar + 1.0 - alpha_bar);
    match prediction {
        Prediction::Epsilon => epsilon,
        Prediction::V => alpha * epsilon - sigma * x0,
        Prediction::X0 => x0,
        other => panic!("{other:?} has no oracle"),
    }
}

/// Standard deviation after the last step, by the runtime's update rule in f32.
fn final_deviation(plan: &[Step], prediction: Prediction) -> f64 {
    final_deviation_on(&alpha_bars(), plan, prediction)
}

fn final_deviation_on(alpha_bar: &[f64], plan: &[Step], prediction: Prediction) -> f64 {
    final_deviation_from(1.0, alpha_bar, plan, prediction)
}

/// The same of a chain whose first state has the standard deviation `first`.
fn final_deviation_from(first: f64, alpha_bar: &[f64], plan: &[Step], prediction: Prediction) -> f64 {
    let mut x = vec![0.0f32; plan.len() + 1];
    let mut x0_prev = vec![0.0f32; x.len()];
    x[0] = first as f32;
    for (index, step) in plan.iter().enumerate() {
        let output: Vec<f32> = x
            .iter()
            .map(|&v| exact_output(prediction, alpha_bar[step.timestep as usize - 1], v.into()) as f32)
            .collect();
        let noise = |pair: u32| [2 * pair, 2 * pair + 1].map(|i| f32::from(i as usize == index + 1));
        update(step, &mut x, &mut x0_prev, |i, x| x0_hat(step, false, x, output[i]), noise);
    }
    x.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt()
}

#[test]
fn samplers_meet_the_analytic_oracle() {
    let ddim = Method::ddim(0.0);
    for (method, steps, exact) in [
        (Method::ddpm(Variance::Beta), 1000, 0.50075151024),
        (Method::ddpm(Variance::BetaTilde), 1000, 0.496110079882),
        (ddim, 50, 0.471402673236),
        (ddim, 10, 0.369954809143),
        (ddim, 4, 0.217608153539),
    ] {
        for prediction in [Prediction::Epsilon, Prediction::V, Prediction::X0] {
            let found = final_deviation(&plan(method, prediction, steps), prediction);
            let error = (found / exact - 1.0).abs();
            // f32 rounding of 1/α at t near T is amplified for ε-prediction.
            assert!(error < 2e-5, "{method:?} {prediction:?} {steps}: {found} instead of {exact}");
        }
    }
}

#[test]
fn ddim_with_eta_one_is_ancestral() {
    let ancestral = plan(Method::ddpm(Variance::BetaTilde), Prediction::V, 20);
    let ddim = plan(Method::ddim(1.0), Prediction::V, 20);
    for (a, b) in ancestral.iter().zip(&ddim) {
        for (a, b) in [(a.a, b.a), (a.b, b.b), (a.sigma, b.sigma)] {
            assert!((a - b).abs() < 1e-5, "{a} {b}");
        }
    }
}

/// From 10 to 80 steps the error of DDIM falls about eightfold (order one), that of DPM-Solver++(2M) at least
/// forty-fold (order two).
#[test]
fn dpm_solver_is_of_second_order() {
    let error = |method, steps| {
        let fine = final_deviation(&plan(method, Prediction::V, 500), Prediction::V);
        (final_deviation(&plan(method, Prediction::V, steps), Prediction::V) - fine).abs()
    };
    let solver = error(Method::dpm_solver_2m(), 10) / error(Method::dpm_solver_2m(), 80);
    let ddim = error(Method::ddim(0.0), 10) / error(Method::ddim(0.0), 80);
    println!("error ratios from 10 to 80 steps: DPM-Solver++(2M) {solver:.1}, DDIM {ddim:.1}");
    assert!(solver > 40.0 && (6.0..12.0).contains(&ddim));
}

#[test]
fn the_last_step_adds_no_noise() {
    for method in [Method::ddpm(Variance::Beta), Method::ddim(1.0), Method::dpm_solver_2m()] {
        let plan = plan(method, Prediction::V, 7);
        assert_eq!(plan[6].sigma, 0.0);
        assert_eq!((plan[6].a, plan[6].b), (0.0, 1.0), "{method:?} ends at x0_hat");
    }
}

#[test]
fn clipping_bounds_the_estimate() {
    let step = Step { k_x: 3.0, b: 1.0, ..Step::default() };
    let clipped = [0.9, -0.9, 0.1, f32::NAN].map(|x| x0_hat(&step, true, x, 0.0));
    assert_eq!(clipped[..2], [1.0, -1.0]);
    assert!((clipped[2] - 0.3).abs() < 1e-6 && clipped[3].is_nan());
    assert!(x0_hat(&step, false, 0.9, 0.0) > 2.0);
}

#[test]
fn plans_refuse_what_they_cannot_build() {
    let mut out = [Step::default(); 3];
    let bars = alpha_bars();
    let mut try_build = |timesteps: &[u32]| build(Method::dpm_solver_2m(), Prediction::V, &bars, timesteps, &mut out);
    assert_eq!(try_build(&[]), Err(PlanError::Length));
    assert_eq!(try_build(&[4, 3, 2, 1]), Err(PlanError::Length));
    assert_eq!(try_build(&[5, 6]), Err(PlanError::Timesteps(0)));
    assert_eq!(try_build(&[5, 5]), Err(PlanError::Repeated { step: 0, method: "dpm" }));
    assert_eq!(try_build(&[1001, 5]), Err(PlanError::Timesteps(0)));
    assert_eq!(try_build(&[5, 0]), Err(PlanError::Timesteps(1)));
    assert_eq!(try_build(&[1000, 500, 1]), Ok(3));
}

/// In binary64, with the plan's own formula from the schedule: the standard deviation after DDIM with S = 4 in all
/// digits, so that what the f32 tables add is known to be rounding.
#[test]
fn ddim_in_four_steps_to_all_digits() {
    let bars = alpha_bars();
    let mut timesteps = [0; 4];
    Spacing::Uniform.timesteps(1000, &bars, &mut timesteps).unwrap();
    assert_eq!(timesteps, [1000, 750, 500, 250]);
    let mut x = 1.0;
    for (i, &t) in timesteps.iter().enumerate() {
        let now = bars[t as usize - 1];
        let then = timesteps.get(i + 1).map_or(1.0, |&t| bars[t as usize - 1]);
        let epsilon = exact_output(Prediction::Epsilon, now, x);
        let x0 = (x - (1.0 - now).sqrt() * epsilon) / now.sqrt();
        x = then.sqrt() * x0 + (1.0 - then).sqrt() * epsilon;
    }
    assert!((x - 0.217608153539).abs() < 1e-12, "{x}");
}

const SPACINGS: [Spacing; 4] = [Spacing::Uniform, Spacing::Quadratic, Spacing::LogSnr, Spacing::Karras];
const METHODS: [Method; 5] = [
    Method::ddpm(Variance::Beta),
    Method::ddpm(Variance::BetaTilde),
    Method::ddim(0.0),
    Method::ddim(0.7),
    Method::dpm_solver_2m(),
];

/// A state signal·x_0 + noise·ε whose x0_hat is x_0 goes to the next step's level: a·signal + b + c is its signal,
/// a²·noise² + sigma² its variance. (DDPM with variance β adds more than that; it is exact for data of variance 1.)
#[test]
fn every_step_leads_to_the_level_of_the_next() {
    for spacing in SPACINGS {
        for bars in [alpha_bars(), zero_terminal()] {
            for method in METHODS {
                let plan = spaced_plan(spacing, &bars, method, Prediction::V, 12);
                for (i, step) in plan.iter().enumerate() {
                    let Level { signal, noise } = step.level;
                    assert!((signal * signal + noise * noise - 1.0).abs() < 1e-6);
                    let next = plan.get(i + 1).map_or(Level::CLEAN, |next| next.level);
                    let reached = step.a * signal + step.b + step.c;
                    assert!((reached - next.signal).abs() < 1e-5, "{spacing:?} {method:?} {i}: {reached}, {next:?}");
                    let variance = (step.a * noise).powi(2) + step.sigma.powi(2);
                    let error = variance - next.noise * next.noise;
                    assert!(error > -1e-5, "{spacing:?} {method:?} {i}: {variance}, {next:?}");
                    assert!(error < 1e-5 || method == METHODS[0], "{spacing:?} {method:?} {i}: {variance}, {next:?}");
                }
            }
        }
    }
}

#[test]
fn spacings_are_what_they_say() {
    let bars = alpha_bars();
    let spaced = |spacing: Spacing, first: u32, steps: usize| {
        let mut timesteps = vec![0; steps];
        spacing.timesteps(first, &bars, &mut timesteps).map(|()| timesteps)
    };
    assert_eq!(spaced(Spacing::Uniform, 1000, 4).unwrap(), [1000, 750, 500, 250]);
    assert_eq!(spaced(Spacing::Quadratic, 1000, 4).unwrap(), [1000, 563, 250, 63]);
    let lambda = |t: u32| 0.5 * (bars[t as usize - 1] / (1.0 - bars[t as usize - 1])).ln();
    let root = |t: u32| ((1.0 - bars[t as usize - 1]) / bars[t as usize - 1]).powf(1.0 / 14.0);
    for (spacing, measure) in [(Spacing::LogSnr, &lambda as &dyn Fn(u32) -> f64), (Spacing::Karras, &root)] {
        let timesteps = spaced(spacing, 930, 6).unwrap();
        assert_eq!((timesteps[0], timesteps[5]), (930, 1), "{spacing:?}");
        for (i, &t) in timesteps.iter().enumerate().take(5).skip(1) {
            let target = measure(930) + i as f64 / 5.0 * (measure(1) - measure(930));
            let off = |t: u32| (measure(t) - target).abs();
            assert!(off(t) <= off(t - 1) && off(t) <= off(t + 1), "{spacing:?} {timesteps:?}");
        }
    }
    for spacing in SPACINGS {
        assert_eq!(spaced(spacing, 1000, 1).unwrap(), [1000], "{spacing:?}");
        assert_eq!(spaced(spacing, 7, 7).unwrap(), [7, 6, 5, 4, 3, 2, 1], "{spacing:?}");
        assert_eq!(spaced(spacing, 1000, 1000).unwrap(), (1..=1000).rev().collect::<Vec<_>>(), "{spacing:?}");
        assert_eq!(spaced(spacing, 7, 8), Err(PlanError::TooMany { steps: 8, first: 7 }));
        assert_eq!(spaced(spacing, 1001, 8), Err(PlanError::Timesteps(0)));
        assert_eq!(spaced(spacing, 0, 8), Err(PlanError::Timesteps(0)));
        assert_eq!(spaced(spacing, 9, 0), Err(PlanError::Length));
        assert_eq!(spacing.timesteps(3, &[0.9, 0.9, 0.1], &mut [0]), Err(PlanError::Schedule { timestep: 2 }));
        assert_eq!(spacing.timesteps(2, &[0.9, f64::NAN], &mut [0]), Err(PlanError::Schedule { timestep: 2 }));
    }
}

proptest! {
    /// Whatever the spacing, the start and the number of steps: they fall strictly, from the first one, to 1 or more.
    #[test]
    fn timesteps_fall_strictly(spacing in 0usize..4, first in 1u32..=1000, share in 0.0f64..1.0, zero: bool) {
        let steps = 1 + (share * f64::from(first - 1)) as usize;
        let bars = if zero { zero_terminal() } else { alpha_bars() };
        let mut timesteps = vec![0; steps];
        SPACINGS[spacing].timesteps(first, &bars, &mut timesteps).unwrap();
        prop_assert_eq!(timesteps[0], first);
        prop_assert!(timesteps.is_sorted_by(|a, b| a > b) && timesteps[steps - 1] >= 1, "{:?}", timesteps);
    }
}

/// With ᾱ_T = 0 the first step sees noise alone: ε tells nothing about x_0 and is refused; v and x0 work for every
/// method, and what they draw approaches the data's deviation as with the schedule that ends above 0.
#[test]
fn schedules_that_end_in_pure_noise() {
    let bars = zero_terminal();
    assert_eq!(bars[999], 0.0);
    for method in METHODS {
        let mut out = [Step::default(); 2];
        let refused = build(method, Prediction::Epsilon, &bars, &[1000, 500], &mut out).unwrap_err();
        assert_eq!(refused, PlanError::NoSignal { timestep: 1000 });
        assert!(refused.to_string().contains("predict v or x0"));
        assert_eq!(build(method, Prediction::Epsilon, &bars, &[999, 500], &mut out), Ok(2));
        for prediction in [Prediction::V, Prediction::X0] {
            for spacing in SPACINGS {
                let plan = spaced_plan(spacing, &bars, method, prediction, 100);
                assert_eq!(plan[0].level, Level { signal: 0.0, noise: 1.0 });
                let deviation = final_deviation_on(&bars, &plan, prediction);
                // Steps that add noise approach the data more slowly.
                let bound = if plan[0].sigma > 0.0 { 0.1 } else { 0.05 };
                assert!((deviation - 0.5).abs() < bound, "{method:?} {prediction:?} {spacing:?}: {deviation}");
            }
        }
    }
    // DPM-Solver++ from λ = −∞: σ'·x + α'·x0_hat, then a step of first order.
    let plan = spaced_plan(Spacing::Uniform, &bars, Method::dpm_solver_2m(), Prediction::V, 4);
    let then = [bars[749].sqrt() as f32, (1.0 - bars[749]).sqrt() as f32];
    assert_eq!([plan[0].b, plan[0].a, plan[0].c], [then[0], then[1], 0.0]);
    assert_eq!(plan[1].c, 0.0);
    assert_ne!(plan[2].c, 0.0);
}
