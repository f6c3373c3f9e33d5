//! The sampler's update rule against distributions that are known in closed form.
//!
//! Data are N(0, 0.25) and ε is exact: x_t has variance 0.25·ᾱ + 1 − ᾱ, so E[ε | x_t] = √(1 − ᾱ)·x_t divided by
//! it. Every step is then linear in x and z. Element j of the state is given noise at draw j alone, so that
//! the final standard deviation is the root of the sum of the squares over all elements.

use brownian::plan::{build, spaced_timesteps, Method, Prediction, Step, Variance};
use brownian::schedule::Schedule;
use brownian::update;

const DATA_VARIANCE: f64 = 0.25;

fn alpha_bars() -> Vec<f64> {
    let mut alpha_bar = vec![0.0; 1000];
    Schedule::LINEAR.alpha_bars(&mut alpha_bar);
    alpha_bar
}

fn plan(method: Method, prediction: Prediction, steps: usize) -> Vec<Step> {
    let mut timesteps = vec![0; steps];
    spaced_timesteps(1000, &mut timesteps);
    let mut plan = vec![Step::default(); steps];
    assert_eq!(build(method, prediction, &alpha_bars(), &timesteps, &mut plan), Ok(steps));
    plan
}

/// The network's output F for the exact ε at state `x`.
fn exact_output(prediction: Prediction, alpha_bar: f64, x: f64) -> f64 {
    let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
    let epsilon = sigma * x / (DATA_VARIANCE * alpha_bar + 1.0 - alpha_bar);
    let x0 = (x - sigma * epsilon) / alpha;
    match prediction {
        Prediction::Epsilon => epsilon,
        Prediction::V => alpha * epsilon - sigma * x0,
        Prediction::X0 => x0,
    }
}

/// Standard deviation after the last step, by the runtime's update rule in f32.
fn final_deviation(plan: &[Step], prediction: Prediction) -> f64 {
    let alpha_bar = alpha_bars();
    let mut x = vec![0.0f32; plan.len() + 1];
    let mut x0_prev = vec![0.0f32; x.len()];
    x[0] = 1.0;
    for (index, step) in plan.iter().enumerate() {
        let output: Vec<f32> = x
            .iter()
            .map(|&v| exact_output(prediction, alpha_bar[step.timestep as usize - 1], v.into()) as f32)
            .collect();
        let noise = |pair: u32| [2 * pair, 2 * pair + 1].map(|i| f32::from(i as usize == index + 1));
        update(step, false, &mut x, &mut x0_prev, |i| output[i], noise);
    }
    x.iter().map(|&v| f64::from(v) * f64::from(v)).sum::<f64>().sqrt()
}

#[test]
fn samplers_meet_the_analytic_oracle() {
    let ddim = Method::Ddim { eta: 0.0 };
    for (method, steps, exact) in [
        (Method::Ddpm(Variance::Beta), 1000, 0.50075151024),
        (Method::Ddpm(Variance::BetaTilde), 1000, 0.496110079882),
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
    let ancestral = plan(Method::Ddpm(Variance::BetaTilde), Prediction::V, 20);
    let ddim = plan(Method::Ddim { eta: 1.0 }, Prediction::V, 20);
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
    let solver = error(Method::DpmSolver2M, 10) / error(Method::DpmSolver2M, 80);
    let ddim = error(Method::Ddim { eta: 0.0 }, 10) / error(Method::Ddim { eta: 0.0 }, 80);
    println!("error ratios from 10 to 80 steps: DPM-Solver++(2M) {solver:.1}, DDIM {ddim:.1}");
    assert!(solver > 40.0 && (6.0..12.0).contains(&ddim));
}

#[test]
fn the_last_step_adds_no_noise() {
    for method in [Method::Ddpm(Variance::Beta), Method::Ddim { eta: 1.0 }, Method::DpmSolver2M] {
        let plan = plan(method, Prediction::V, 7);
        assert_eq!(plan[6].sigma, 0.0);
        assert_eq!((plan[6].a, plan[6].b), (0.0, 1.0), "{method:?} ends at x0_hat");
    }
}

#[test]
fn clipping_bounds_the_estimate() {
    let step = Step { k_x: 3.0, b: 1.0, ..Step::default() };
    let mut x = [0.9, -0.9, 0.1, f32::NAN];
    update(&step, true, &mut x, &mut [], |_| 0.0, |_| [0.0; 2]);
    assert_eq!(x[..2], [1.0, -1.0]);
    assert!((x[2] - 0.3).abs() < 1e-6);
    let mut x = [0.9f32];
    update(&step, false, &mut x, &mut [], |_| 0.0, |_| [0.0; 2]);
    assert!(x[0] > 2.0);
}

#[test]
fn plans_refuse_what_they_cannot_build() {
    use brownian::plan::PlanError;
    let mut out = [Step::default(); 3];
    let bars = alpha_bars();
    let mut try_build = |timesteps: &[u32]| build(Method::DpmSolver2M, Prediction::V, &bars, timesteps, &mut out);
    assert_eq!(try_build(&[]), Err(PlanError::Length));
    assert_eq!(try_build(&[4, 3, 2, 1]), Err(PlanError::Length));
    assert_eq!(try_build(&[5, 5]), Err(PlanError::Timesteps(0)));
    assert_eq!(try_build(&[1001, 5]), Err(PlanError::Timesteps(0)));
    assert_eq!(try_build(&[5, 0]), Err(PlanError::Timesteps(1)));
    assert_eq!(try_build(&[1000, 500, 1]), Ok(3));
}
