//! The binomial process against what is known in closed form.

use brownian::plan::{build_bits, evenly_kept, marginal, own_logits, posterior, BitStep, PlanError};
use brownian::process::binomial::{digest, draw, estimate, logistic, mean_of, next_probability, Bits};
use brownian::random::Stream;

const UNIT: f64 = 4_294_967_296.0;

fn kept(timesteps: usize) -> Vec<f64> {
    let mut kept = vec![0.0; timesteps];
    evenly_kept(&mut kept);
    kept
}

/// A schedule that ends with some signal.
fn kept_to(last: f64, timesteps: usize) -> Vec<f64> {
    (1..=timesteps).map(|t| 1.0 - (1.0 - last) * t as f64 / timesteps as f64).collect()
}

fn all_down(timesteps: usize) -> Vec<u32> {
    (1..=timesteps as u32).rev().collect()
}

fn plan(kept: &[f64], mean: f64, timesteps: &[u32]) -> Vec<BitStep> {
    let mut steps = vec![BitStep::default(); timesteps.len()];
    assert_eq!(build_bits(kept, mean, timesteps, &mut steps), Ok(timesteps.len()));
    steps
}

/// q(x_s = 1, x_t = b | x_0 = a)/q(x_t = b | x_0 = a) by adding up the probabilities of all paths of a chain of 5 steps.
#[test]
fn posteriors_are_those_of_all_paths() {
    for mean in [0.5, 0.3, 0.9] {
        for kept in [kept(5), kept_to(0.2, 5)] {
            let before = |t: usize| if t == 0 { 1.0 } else { kept[t - 1] };
            // The probability of x_1 … x_5, the bits of `path`.
            let path_probability = |a: bool, path: u32| -> f64 {
                let mut last = a;
                (1..=5).fold(1.0, |p, t| {
                    let stays = before(t) / before(t - 1);
                    let one = stays * f64::from(u8::from(last)) + (1.0 - stays) * mean;
                    last = path >> (t - 1) & 1 == 1;
                    p * if last { one } else { 1.0 - one }
                })
            };
            for (s, t) in (0..5).flat_map(|s| (s + 1..=5).map(move |t| (s, t))) {
                let found = posterior(before(t), before(s), mean);
                for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
                    let bit = |path: u32, t: usize| if t == 0 { a } else { path >> (t - 1) & 1 == 1 };
                    let of = |wanted: &dyn Fn(u32) -> bool| -> f64 {
                        (0..32u32).filter(|path| wanted(*path)).map(|path| path_probability(a, path)).sum()
                    };
                    let both = of(&|path| bit(path, t) == b && bit(path, s));
                    let at_t = of(&|path| bit(path, t) == b);
                    assert!(
                        (at_t - (if b { marginal(before(t), mean, a) } else { 1.0 - marginal(before(t), mean, a) }))
                            .abs()
                            < 1e-12
                    );
                    if at_t > 0.0 {
                        let found = found[usize::from(b)][usize::from(a)];
                        assert!((found - both / at_t).abs() < 1e-12, "{s} {t} {a} {b}: {found}, {}", both / at_t);
                    }
                }
            }
        }
    }
}

/// p̂ of a bit whose probability is known: Bayes' rule on x_t alone.
fn exact_p_hat(kept: f64, mean: f64, probability: f64) -> [f64; 2] {
    let prior = (probability / (1.0 - probability)).ln();
    own_logits(kept, mean).map(|own| 1.0 / (1.0 + (-(prior + own)).exp()))
}

fn entropy(p: f64) -> f64 {
    -(p * p.log2() + (1.0 - p) * (1.0 - p).log2())
}

fn divergence(p: f64, q: f64) -> f64 {
    let term = |p: f64, q: f64| if p == 0.0 { 0.0 } else { p * (p / q).log2() };
    term(p, q) + term(1.0 - p, 1.0 - q)
}

/// With exact p̂ the bound is tight: the entropy of independent bits, and the divergence of q(x_T) from B(π).
#[test]
fn the_bound_of_independent_bits_is_their_entropy() {
    let (probability, timesteps) = (0.3, 20);
    assert!((entropy(probability) - 0.8813).abs() < 1e-4);
    for (kept, mean) in [(kept(timesteps), 0.5), (kept(timesteps), 0.3), (kept_to(0.4, timesteps), 0.5)] {
        let before = |t: usize| if t == 0 { 1.0 } else { kept[t - 1] };
        let weight = |x_0: bool| if x_0 { probability } else { 1.0 - probability };
        let mut bound = 0.0;
        for x_0 in [false, true] {
            // The prior's term; q(x_T | x_0) is not q(x_T).
            let last = marginal(kept[timesteps - 1], mean, x_0);
            bound += weight(x_0) * divergence(last, mean);
            for t in 1..=timesteps {
                let p_hat = exact_p_hat(before(t), mean, probability);
                let posterior = posterior(before(t), before(t - 1), mean);
                for x_t in [false, true] {
                    let one = marginal(before(t), mean, x_0);
                    let weight = weight(x_0) * if x_t { one } else { 1.0 - one };
                    let [zero, one] = posterior[usize::from(x_t)];
                    let model = zero + (one - zero) * p_hat[usize::from(x_t)];
                    bound += weight * divergence(if x_0 { one } else { zero }, model);
                }
            }
        }
        let at_end = marginal(kept[timesteps - 1], mean, true) * probability
            + marginal(kept[timesteps - 1], mean, false) * (1.0 - probability);
        let expected = entropy(probability) + divergence(at_end, mean);
        assert!((bound - expected).abs() < 1e-9, "{bound} instead of {expected}");
    }
}

/// The chip's integers follow the recursion of the mean in f64, in all steps and in few, and so do drawn bits.
#[test]
fn chains_of_independent_bits_keep_their_mean() {
    let (probability, count) = (0.3f64, 40_000);
    let prior = (probability / (1.0 - probability)).ln();
    let f = (prior * 65_536.0).round() as i32;
    for (mean, timesteps) in [(0.5, all_down(100)), (0.5, vec![100, 60, 30, 5]), (0.1, all_down(100)), (0.1, vec![100])]
    {
        let kept = kept(100);
        let steps = plan(&kept, mean, &timesteps);
        let (mut expected, mut integers) = (mean, mean);
        let mut state = vec![Bits::default(); count / Bits::LEN];
        draw(&mut state, count, Stream::new(7, 0, 0), |_, _| mean_of(steps[0].level));
        for (i, step) in steps.iter().enumerate() {
            let now = kept[step.timestep as usize - 1];
            let then = timesteps.get(i + 1).map_or(1.0, |t| kept[*t as usize - 1]);
            let (p_hat, posterior) = (exact_p_hat(now, mean, probability), posterior(now, then, mean));
            let next = |bit: usize| posterior[bit][0] + (posterior[bit][1] - posterior[bit][0]) * p_hat[bit];
            expected = expected * next(1) + (1.0 - expected) * next(0);
            let next = |bit: bool| f64::from(next_probability(step, bit, f)) / UNIT;
            integers = integers * next(true) + (1.0 - integers) * next(false);
            draw(&mut state, count, Stream::new(7, 0, i as u32 + 1), |_, bit| next_probability(step, bit, f));
        }
        assert!((expected - probability).abs() < 1e-9, "the exact chain ends at the data: {expected}");
        assert!((integers - expected).abs() < 2e-4, "{integers} instead of {expected}");
        let drawn = (0..count).filter(|&i| Bits::of(&state, i)).count() as f64 / count as f64;
        assert!((drawn - probability).abs() < 4.0 * (0.21 / count as f64).sqrt(), "{drawn}");
    }
}

#[test]
fn steps_are_kept_in_words() {
    let kept = kept(100);
    for step in plan(&kept, 0.3, &[100, 50, 20, 3]) {
        assert_eq!(BitStep::decode(&step.encode()), step);
    }
    let steps = plan(&kept, 0.5, &[100, 50]);
    // At T a bit says nothing; the last step draws from p̂.
    assert_eq!(steps[0].own_logit, [0, 0]);
    assert_eq!((steps[1].u, steps[1].v), ([0, 0], [i32::MAX; 2]));
    assert_eq!(steps[1].own_logit[1], -steps[1].own_logit[0]);
    assert!((f64::from(steps[1].own_logit[1]) / 65_536.0 - 3f64.ln()).abs() < 1e-4);
    assert_eq!(mean_of(steps[1].level), 1 << 31);
    for p in [0, 1 << 16, -5 << 16] {
        assert!(next_probability(&steps[1], true, p).abs_diff(estimate(&steps[1], true, p)) <= 2);
    }
    assert_eq!(logistic(0), u32::MAX / 2);
}

#[test]
fn what_is_no_plan_is_refused() {
    let kept = kept(10);
    let mut out = vec![BitStep::default(); 3];
    let mut build = |kept: &[f64], mean, timesteps: &[u32]| build_bits(kept, mean, timesteps, &mut out).unwrap_err();
    assert_eq!(build(&kept, 0.5, &[]), PlanError::Length);
    assert_eq!(build(&kept, 0.5, &[4, 3, 2, 1]), PlanError::Length);
    for timesteps in [&[3, 3][..], &[3, 5], &[11], &[0]] {
        assert!(matches!(build(&kept, 0.5, timesteps), PlanError::Timesteps(_)), "{timesteps:?}");
    }
    for mean in [0.0, 1.0, f64::NAN] {
        assert_eq!(build(&kept, mean, &[3]), PlanError::NotFinite(0));
    }
    for kept in [[0.5, 0.6], [0.5, f64::NAN], [0.5, -0.1]] {
        assert_eq!(build(&kept, 0.5, &[2, 1]), PlanError::Schedule { timestep: 2 });
    }
}

/// The digest of a chain, so that a change of its bits is seen.
#[test]
fn a_chain_has_its_digest() {
    let steps = plan(&kept(50), 0.4, &[50, 25, 10, 4]);
    let mut state = vec![Bits::default(); 49];
    draw(&mut state, 784, Stream::new(1, 2, 0), |_, _| mean_of(steps[0].level));
    for (i, step) in steps.iter().enumerate() {
        let f = |i: usize| (i as i32 % 28 - 14) << 13;
        draw(&mut state, 784, Stream::new(1, 2, i as u32 + 1), |i, bit| next_probability(step, bit, f(i)));
    }
    assert_eq!(format!("{:08x}", digest(&state)), "9d192f99");
}
