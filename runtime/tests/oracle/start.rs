//! What a chain begins from: with ᾱ_T well above 0, as of DiffWave's schedules, x_T is no pure noise.
//!
//! Of data N(0, v), x_T has the variance ᾱ_T·v + 1 − ᾱ_T, and a deterministic chain with an exact network is linear: it
//! multiplies x_T by √(v/(ᾱ_T·v + 1 − ᾱ_T)). From N(0, s²) it ends at the variance s²·v/(ᾱ_T·v + 1 − ᾱ_T) in place of v.

use super::alpha_bars_of;
use brownian::plan::schedule::Schedule;
use brownian::plan::{build, Method, Prediction, Start, Step};
use brownian::process::gaussian::{update, x0_hat};

/// DiffWave's schedule of 50 steps (Kong et al. 2021) in steps a twentieth as long, by which the chain is nearly exact.
const DIFFWAVE: Schedule = Schedule::Linear { beta_first: 5e-6, beta_last: 2.5e-3 };

/// The variance at the end of a chain on data N(0, v) that begins from this standard deviation.
fn final_variance(steps: &[Step], bars: &[f64], v: f64, first: f32) -> f64 {
    let (mut x, mut previous) = ([first], [0.0f32]);
    for step in steps {
        let bar = bars[step.timestep as usize - 1];
        let epsilon = (1.0 - bar).sqrt() * f64::from(x[0]) / (v * bar + 1.0 - bar);
        update(step, &mut x, &mut previous, |_, x| x0_hat(step, false, x, epsilon as f32), |_| [0.0; 2]);
    }
    f64::from(x[0]).powi(2)
}

#[test]
fn a_chain_from_the_wrong_variance_ends_in_the_wrong_variance() {
    let bars = alpha_bars_of(DIFFWAVE, 1000);
    let last = bars[999];
    let timesteps: Vec<u32> = (1..=1000).rev().collect();
    let mut steps = vec![Step::default(); 1000];
    build(Method::dpm_solver_2m(), Prediction::Epsilon, &bars, &timesteps, &mut steps).unwrap();
    let of = |v: f64, start: Start| final_variance(&steps, &bars, v, start.deviation(steps[0].level)) / v;
    for v in [0.01, 0.25, 1.0, 4.0, 20.0] {
        for start in [Start::Normal, Start::Noise] {
            let first = f64::from(start.deviation(steps[0].level)).powi(2);
            let expected = first / (last * v + 1.0 - last);
            assert!((of(v, start) / expected - 1.0).abs() < 0.05, "{v} {start:?}: {} {expected}", of(v, start));
        }
    }
    // What is quiet comes out 1.4 dB too loud from N(0, 1), and as it is from the noise of the level.
    let decibels = |ratio: f64| 10.0 * ratio.log10();
    assert!((decibels(of(0.01, Start::Normal)) - 1.4).abs() < 0.1);
    assert!(decibels(of(0.01, Start::Noise)).abs() < 0.1);
    // Data of variance 1 want N(0, 1); what is loud is lost from either, as its share of x_T is missing.
    assert!(decibels(of(1.0, Start::Normal)).abs() < 0.1);
    assert!(decibels(of(20.0, Start::Normal)) < -7.5);
}

/// Where the schedule ends near ᾱ = 0 nothing of this matters.
#[test]
fn pure_noise_is_the_start_of_every_data() {
    let bars = alpha_bars_of(Schedule::LINEAR, 1000);
    let noise = Start::Noise.deviation(brownian::plan::Level { signal: 0.0, noise: (1.0 - bars[999]).sqrt() as f32 });
    for v in [0.01, 20.0] {
        for first in [1.0, f64::from(noise)] {
            let ratio = first * first / (bars[999] * v + 1.0 - bars[999]);
            assert!((ratio - 1.0).abs() < 1e-3, "{ratio}");
        }
    }
}
