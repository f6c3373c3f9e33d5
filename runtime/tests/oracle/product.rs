//! Distributions multiplied along a chain (Sohl-Dickstein et al. 2015, section 2.5), where everything is known.

use super::alpha_bars;
use brownian::plan::{build, Level, Method, Prediction, Spacing, Step, Variance};
use brownian::process::gaussian::x0_hat;
use brownian::process::product::Product;

/// Data N(0, 1) and an exact network: each step draws from the true reverse distribution, and r is the true likelihood. So
/// given y = x_0 + s·e, at every level x is N(α·E, α²·V + 1 − α²) with E = y/(1 + s²) and V = s²/(1 + s²). Mean and
/// variance of the chain by recursion, with the numbers of the f32 that a chip computes with.
#[test]
fn a_product_of_normal_distributions_is_the_true_posterior() {
    let bars = alpha_bars();
    for (steps, deviation) in [(1000, 0.0f32), (50, 0.0), (50, 0.5), (10, 2.0)] {
        let mut timesteps = vec![0; steps];
        Spacing::Uniform.timesteps(1000, &bars, &mut timesteps).unwrap();
        let mut plan = vec![Step::default(); steps];
        build(Method::ddpm(Variance::Beta), Prediction::V, &bars, &timesteps, &mut plan).unwrap();
        let (known, square) = (0.7f32, f64::from(deviation).powi(2));
        let [posterior_mean, posterior_variance] = [f64::from(known) / (1.0 + square), square / (1.0 + square)];
        let (mut mean, mut variance) = (0.0, 1.0);
        for (i, step) in plan.iter().enumerate().take(steps - 1) {
            // F of v-prediction for this data is 0, so that x0_hat is α·x.
            let to = |x: f32| f64::from(step.a * x + step.b * x0_hat(step, false, x, 0.0));
            (mean, variance) = (to(1.0) * mean, to(1.0).powi(2) * variance + f64::from(step.sigma).powi(2));
            let level = plan[i + 1].level;
            let product = Product::new(step.sigma, level, deviation);
            let of = |x: f32, known: f32, z: f32| f64::from(product.of(x, known, z));
            mean = of(1.0, 0.0, 0.0) * mean + of(0.0, known, 0.0);
            variance = of(1.0, 0.0, 0.0).powi(2) * variance + of(0.0, 0.0, 1.0).powi(2);
            let alpha = f64::from(level.signal);
            let expected = [alpha * posterior_mean, alpha * alpha * (posterior_variance - 1.0) + 1.0];
            // x_T is N(0, 1) where it should know a little of y.
            let off = (mean - expected[0]).abs().max((variance - expected[1]).abs());
            assert!(off < 0.02, "{steps} steps, s = {deviation}, step {i}: {mean}, {variance}, not {expected:?}");
            if i + 2 == steps {
                assert!(off < 2e-4, "{steps} steps, s = {deviation}: {off} at the end");
            }
        }
    }
}

/// An image that is known without noise is kept to the bit; one that is hardly known changes nothing.
#[test]
fn the_ends_of_what_may_be_known() {
    let last = Product::new(0.0, Level::CLEAN, 0.0);
    assert_eq!(last.of(0.3, -0.123_456_7, 2.0), -0.123_456_7);
    let early = Product::new(0.1, Level { signal: 1e-3, noise: 1.0 }, 0.0);
    assert!((early.of(0.3, 1.0, 1.0) - 0.3).abs() < 1e-4);
    assert_eq!(Product::new(0.0, Level::CLEAN, 0.5).of(0.3, 1.0, 1.0), 0.3);
}
