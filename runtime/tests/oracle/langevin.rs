//! Langevin dynamics: annealed over levels of noise, and as a corrector behind other steps.

use super::{alpha_bars, final_deviation_from, final_deviation_on, DATA_VARIANCE, METHODS};
use brownian::plan::schedule::Schedule;
use brownian::plan::{build, Level, Method, PlanError, Prediction, Spacing, Step};

/// The levels of Song & Ermon 2019, of data on [-1, 1]: 2 to 0.02.
const LEVELS: Schedule = Schedule::Geometric { lowest: 0.02, highest: 2.0 };

fn levels(count: usize) -> Vec<f64> {
    let mut bars = vec![0.0; count];
    LEVELS.alpha_bars(&mut bars);
    bars
}

/// Annealed Langevin dynamics over all levels, `steps` a level, and one more where the chain is denoised at its end.
fn annealed(method: Method, bars: &[f64], steps: usize, denoise: bool) -> Vec<Step> {
    let mut timesteps: Vec<u32> = (1..=bars.len() as u32).rev().flat_map(|t| vec![t; steps]).collect();
    timesteps.extend(denoise.then_some(1));
    let mut plan = vec![Step::default(); timesteps.len()];
    build(method, Prediction::V, bars, &timesteps, &mut plan).unwrap();
    plan
}

#[test]
fn geometric_levels_have_equal_ratios() {
    let noise: Vec<f64> = levels(10).iter().map(|bar| (1.0 / bar - 1.0).sqrt()).collect();
    assert!((noise[0] - 0.02).abs() < 1e-12 && (noise[9] - 2.0).abs() < 1e-12, "{noise:?}");
    let ratio = 100f64.powf(1.0 / 9.0);
    assert!(noise.windows(2).all(|pair| (pair[1] / pair[0] - ratio).abs() < 1e-9), "{noise:?}");
    assert!((levels(1)[0] - 1.0 / 1.0004).abs() < 1e-12);
    // Evenly in the logarithm of the signal-to-noise ratio is evenly over the levels.
    let mut timesteps = [0; 5];
    Spacing::LogSnr.timesteps(9, &levels(9), &mut timesteps).unwrap();
    assert_eq!(timesteps, [9, 7, 5, 3, 1]);
}

/// The variance after the chain by the recursion of algorithm 1 in the paper's own coordinates, in f64: there a state
/// x_0 + ς·ε has the variance s² + ς² and the score −x/(s² + ς²), and
/// x + α·score + √(2α)·z with α = c·ς².
fn recursion(first: f64, bars: &[f64], steps: usize, c: f64, exact: bool, denoise: bool) -> f64 {
    let mut variance = first;
    for bar in bars.iter().rev() {
        let noise = 1.0 / bar - 1.0;
        let alpha = c * noise;
        for _ in 0..steps {
            let added = if exact { 2.0 * alpha - c * alpha } else { 2.0 * alpha };
            variance = (1.0 - alpha / (DATA_VARIANCE + noise)).powi(2) * variance + added;
        }
    }
    let noise = 1.0 / bars[0] - 1.0;
    let kept = if denoise { DATA_VARIANCE / (DATA_VARIANCE + noise) } else { 1.0 };
    variance * kept * kept
}

/// From N(0, 1), and from the paper's uniform noise on the data's range, whose variance there is 1/3.
#[test]
fn annealed_langevin_meets_its_recursion() {
    for (count, steps, c) in [(10, 100, 0.2), (10, 5, 0.5), (50, 2, 0.3), (1, 7, 0.1)] {
        let bars = levels(count);
        let last = bars[count - 1];
        for (exact, denoise) in [(false, false), (false, true), (true, false), (true, true)] {
            let mut method = Method::langevin(c);
            if exact {
                method = method.with("noise", "exact").unwrap();
            }
            if denoise {
                method = method.with("denoise", "").unwrap();
            }
            let plan = annealed(method, &bars, steps, denoise);
            assert_eq!(plan.len(), count * steps + usize::from(denoise));
            for first in [1.0, last / 3.0] {
                let expected = recursion(first / last, &bars, steps, c, exact, denoise).sqrt();
                let found = final_deviation_from(first.sqrt(), &bars, &plan, Prediction::V);
                let what = format!("{count} levels, {steps} steps of {c}, exact {exact}, denoised {denoise}");
                assert!((found / expected - 1.0).abs() < 1e-4, "{what}: {found} instead of {expected}");
            }
        }
    }
}

/// A state whose x0_hat is x_0 keeps its level's noise with the exact noise, and gets c²·ς² more with the classic. From
/// level to level it is scaled alone, at the end to the paper's scale.
#[test]
fn exact_noise_keeps_the_levels() {
    let (bars, c) = (levels(10), 0.3);
    for (noise, more) in [("exact", 0.0), ("classic", c * c)] {
        let plan = annealed(Method::langevin(c).with("noise", noise).unwrap(), &bars, 3, false);
        for (i, step) in plan.iter().enumerate() {
            let Level { signal, noise } = step.level;
            let then = plan.get(i + 1).map_or(1.0, |next| next.level.signal);
            assert!((step.a * signal + step.b - then).abs() < 1e-5, "step {i}");
            let variance = f64::from(step.a * noise).powi(2) + f64::from(step.sigma).powi(2);
            let expected = (1.0 + more) * f64::from(then * noise / signal).powi(2);
            assert!((variance / expected - 1.0).abs() < 1e-4, "step {i}: {variance} instead of {expected}");
        }
    }
}

#[test]
fn words_choose_the_noise_and_the_end() {
    let method = Method::named("langevin").unwrap();
    assert_eq!(method, Method::langevin(0.2));
    for (name, value) in [("step", "1.1"), ("noise", "loud"), ("denoise", "yes"), ("r", "0.1")] {
        assert!(method.with(name, value).is_err(), "{name}={value}");
    }
    assert_eq!(annealed(method, &levels(3), 2, false)[5].sigma, {
        let noise = 1.0 / levels(3)[0] - 1.0;
        (0.4 * noise).sqrt() as f32
    });
    let denoised = annealed(method.with("denoise", "").unwrap(), &levels(3), 2, true);
    assert_eq!([denoised[6].a, denoised[6].b, denoised[6].sigma], [0.0, 1.0, 0.0]);
}

/// A timestep that repeats is a corrector's step, or refused by methods that would do nothing with it.
#[test]
fn repeated_timesteps_are_a_correctors() {
    let bars = alpha_bars();
    let timesteps = [900, 600, 600, 600, 300, 300];
    let mut out = [Step::default(); 6];
    for method in METHODS {
        let name = method.spec().name;
        let refused = build(method, Prediction::V, &bars, &timesteps, &mut out).unwrap_err();
        assert_eq!(refused, PlanError::Repeated { step: 1, method: name });
        assert!(refused.to_string().contains(name) && refused.to_string().contains("langevin"), "{refused}");
    }
    let r = 0.3f32;
    assert_eq!(build(Method::ddim(0.0).corrected(r.into()), Prediction::V, &bars, &timesteps, &mut out), Ok(6));
    for (i, step) in out.iter().enumerate() {
        let next = out.get(i + 1).map_or(Level::CLEAN, |next| next.level);
        let Level { signal, noise } = step.level;
        assert!((step.a * signal + step.b - next.signal).abs() < 1e-6, "step {i}");
        let variance = (step.a * noise).powi(2) + step.sigma.powi(2);
        // As a Langevin step of that size leaves it; from one timestep to the next it is DDIM's.
        let kept = if next == step.level { 1.0 + 4.0 * r.powi(4) } else { 1.0 };
        assert!((variance - kept * next.noise.powi(2)).abs() < 1e-6, "step {i}: {variance}");
        assert_eq!(step.sigma > 0.0, next == step.level);
    }
    // Rising again, or at t = 0, it is no plan.
    for wrong in [[900, 600, 700], [900, 0, 0]] {
        let error = build(Method::ddim(0.0).corrected(0.1), Prediction::V, &bars, &wrong, &mut out).unwrap_err();
        assert_eq!(error, PlanError::Timesteps(1));
    }
}

/// DDIM in four steps draws too narrow a distribution; Langevin steps at each level widen it to that of the data.
#[test]
fn correctors_mend_the_distribution() {
    let bars = alpha_bars();
    let deviation = |repeats: usize| {
        let timesteps: Vec<u32> =
            [1000, 750, 500, 250, 120, 60, 30].into_iter().flat_map(|t| vec![t; repeats]).collect();
        let mut plan = vec![Step::default(); timesteps.len()];
        build(Method::ddim(0.0).corrected(0.16), Prediction::Epsilon, &bars, &timesteps, &mut plan).unwrap();
        final_deviation_on(&bars, &plan, Prediction::Epsilon)
    };
    let (without, with) = (deviation(1), deviation(100));
    assert!(without < 0.4, "{without}");
    assert!((with - 0.5).abs() < 0.02, "{with}");
}

/// Behind a corrector DPM-Solver++ does not look back, and every step still leads to the next level.
#[test]
fn a_corrected_solver_is_of_first_order() {
    let bars = alpha_bars();
    let timesteps = [900, 600, 600, 300, 300, 300];
    let mut out = [Step::default(); 6];
    build(Method::dpm_solver_2m().corrected(0.16), Prediction::V, &bars, &timesteps, &mut out).unwrap();
    assert!(out.iter().all(|step| step.c == 0.0));
    assert_eq!([out[0].sigma, out[2].sigma, out[5].sigma], [0.0; 3]);
    build(Method::dpm_solver_2m().corrected(0.16), Prediction::V, &bars, &[900, 600, 300], &mut out).unwrap();
    assert_ne!(out[1].c, 0.0);
    assert_eq!(Method::ddim(0.0).corrected(9.0), Method::ddim(0.0).corrected(0.7));
    assert_eq!(Method::ddim(0.0).corrected(f64::NAN), Method::ddim(0.0).corrected(0.0));
    assert_ne!(Method::ddim(0.0).corrected(0.1), Method::ddim(0.0));
}
