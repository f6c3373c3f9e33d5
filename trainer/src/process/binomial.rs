//! The binomial process (Sohl-Dickstein et al. 2015) on bits: in step t a bit is kept with probability 1 − β_t and drawn
//! anew from B(π) else, t = 1..=T, with β_t = 1/(T − t + 1). Values are −1 and 1; the arithmetic of a step is that of
//! [`brownian::plan`].
use super::objective::Weighting;
use crate::autograd::{by_value, loss::Loss, Act, Tape};
use crate::data::bits::binarise;
use brownian::plan::{evenly_kept, marginal, own_logits, posterior};

/// A binomial process, and what a network learns of it: the part F of the logit of p(x0 = 1 | x_t) that the other bits
/// decide.
#[derive(Clone, Debug, PartialEq)]
pub struct Binomial {
    kept: Vec<f64>,
    mean: f64,
    weighting: Weighting,
}

/// What a timestep makes of a bit, by the bit.
#[derive(Clone, Copy, Debug)]
struct At {
    /// ln(q(x_t | x0 = 1)/q(x_t | x0 = 0)).
    own: [f64; 2],
    /// q(x_{t−1} = 1 | x_t, x0), by x_t and x0.
    posterior: [[f64; 2]; 2],
}

/// Whether a value of −1 or 1 is a one.
fn bit(value: f32) -> usize {
    usize::from(value > 0.0)
}

/// 1/(1 + e^(−x)).
pub fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The divergence of B(p) from B(q) in nats, where q is given as 1 − q too, so that it keeps its digits near 1.
fn divergence(p: f64, [q, not_q]: [f64; 2]) -> f64 {
    let term = |p: f64, q: f64| if p > 0.0 { p * (p / q.max(f64::MIN_POSITIVE)).ln() } else { 0.0 };
    term(p, q) + term(1.0 - p, not_q)
}

impl At {
    fn new(kept: f64, before: f64, mean: f64) -> Self {
        Self { own: own_logits(kept, mean), posterior: posterior(kept, before, mean) }
    }

    /// The divergence of q(x_s | x_t, x0) from p(x_s | x_t) in nats, and its derivative by F.
    fn divergence(&self, x_t: usize, x0: usize, f: f64) -> [f64; 2] {
        let logit = f + self.own[x_t];
        let (p_hat, not_p_hat) = (logistic(logit), logistic(-logit));
        let [zero, one] = self.posterior[x_t];
        // Mixtures, so that nothing is lost by a difference.
        let p = [zero * not_p_hat + one * p_hat, (1.0 - zero) * not_p_hat + (1.0 - one) * p_hat];
        let q = self.posterior[x_t][x0];
        let term = |q: f64, p: f64| if q > 0.0 { q / p.max(f64::MIN_POSITIVE) } else { 0.0 };
        let by_p = term(1.0 - q, p[1]) - term(q, p[0]);
        [divergence(q, p), by_p * (one - zero) * p_hat * not_p_hat]
    }
}

impl Binomial {
    /// The process of T = `timesteps` and π = `mean`; `weighting` says what a network is trained on: the cross-entropy of
    /// x0 ([`Weighting::Simple`]) or the terms of the bound ([`Weighting::Variational`]).
    pub fn new(timesteps: usize, mean: f64, weighting: Weighting) -> Self {
        let mut kept = vec![0.0; timesteps];
        evenly_kept(&mut kept);
        Self { kept, mean, weighting }
    }

    /// T.
    pub fn timesteps(&self) -> usize {
        self.kept.len()
    }

    /// ḡ_t at `[t − 1]`: the share of bits that are still those of x0.
    pub fn kept(&self) -> &[f64] {
        &self.kept
    }

    /// π.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    fn kept_at(&self, t: usize) -> f64 {
        match t {
            0 => 1.0,
            t => self.kept[t - 1],
        }
    }

    /// The forward process: `x` holds x0, any values, and receives x_t; `target` holds numbers from 0 to 1, evenly drawn,
    /// and receives x0.
    pub fn noise(&self, t: usize, x: &mut [f32], target: &mut [f32]) {
        binarise(x);
        let ones = [false, true].map(|x0| marginal(self.kept_at(t), self.mean, x0) as f32);
        for (x, target) in x.iter_mut().zip(target) {
            let (x0, drawn) = (*x, *target);
            *x = if drawn < ones[bit(x0)] { 1.0 } else { -1.0 };
            *target = x0;
        }
    }

    /// p(x0 = 1 | x_t) for a network's output F.
    pub fn p_hat(&self, t: usize, x_t: f32, f: f32) -> f64 {
        logistic(f64::from(f) + own_logits(self.kept_at(t), self.mean)[bit(x_t)])
    }

    /// The term of the bound in nats of a step from `t` to `s` < t, of an image: Σ over bits of the divergence of
    /// q(x_s | x_t, x0) from p(x_s | x_t); for s = 0 this is −ln p(x0 | x_t).
    pub fn step_divergence(&self, t: usize, s: usize, x_t: &[f32], x0: &[f32], f: &[f32]) -> f64 {
        let at = At::new(self.kept_at(t), self.kept_at(s), self.mean);
        let bits = x_t.iter().zip(x0).zip(f);
        bits.map(|((x_t, x0), f)| at.divergence(bit(*x_t), bit(*x0), f64::from(*f))[0]).sum()
    }

    /// The term of the bound in nats of where a chain begins: the divergence of q(x_t | x0) from B(π), of a bit.
    pub fn prior(&self, t: usize, x0: f32) -> f64 {
        divergence(marginal(self.kept_at(t), self.mean, bit(x0) == 1), [self.mean, 1.0 - self.mean])
    }

    /// What a value x0 with these x_t and F adds to the loss, and its derivative by F.
    fn value_loss(&self, at: &At, x_t: f32, x0: f32, f: f32) -> [f64; 2] {
        match self.weighting {
            // The bound in nats a bit, of which one of T terms was drawn.
            Weighting::Variational => {
                at.divergence(bit(x_t), bit(x0), f64::from(f)).map(|v| v * self.timesteps() as f64)
            }
            Weighting::Simple | Weighting::MinSnr => {
                let logit = f64::from(f) + at.own[bit(x_t)];
                let wrong = if x0 > 0.0 { -logit } else { logit };
                // ln(1 + e^wrong).
                let value = wrong.max(0.0) + (-wrong.abs()).exp().ln_1p();
                [value, f64::from(-x0) * logistic(wrong)]
            }
        }
    }

    fn at(&self, t: usize) -> At {
        At::new(self.kept_at(t), self.kept_at(t - 1), self.mean)
    }

    /// The mean loss of an image.
    pub fn image_loss(&self, t: usize, x_t: &[f32], x0: &[f32], f: &[f32]) -> f64 {
        let at = self.at(t);
        let bits = x_t.iter().zip(x0).zip(f);
        bits.map(|((x_t, x0), f)| self.value_loss(&at, *x_t, *x0, *f)[0]).sum::<f64>() / f.len() as f64
    }

    /// Records the mean loss of a batch: `x` is x_t, `target` x0, one timestep an image.
    pub fn loss(&self, tape: &mut Tape, f: &Act, x: &[f32], target: &[f32], timesteps: &[usize]) -> Loss {
        let at: Vec<At> = timesteps.iter().map(|t| self.at(*t)).collect();
        by_value::mean_of(tape, f, |image, i, f| self.value_loss(&at[image], x[i], target[i], f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both losses against differences, for all bits, at both ends of the chain and for outputs of any size.
    #[test]
    fn slopes_are_those_of_the_losses() {
        for weighting in [Weighting::Simple, Weighting::Variational] {
            for (t, mean) in [(1, 0.5), (2, 0.3), (7, 0.5), (10, 0.1)] {
                let process = Binomial::new(10, mean, weighting);
                let at = process.at(t);
                for (x_t, x0, f) in [(1.0, 1.0, 0.3), (1.0, -1.0, -2.0), (-1.0, 1.0, 1.5), (-1.0, -1.0, 4.0)] {
                    let value = |f: f32| process.value_loss(&at, x_t, x0, f)[0];
                    let (found, step) = (process.value_loss(&at, x_t, x0, f)[1], 1e-2);
                    let expected = (value(f + step) - value(f - step)) / (2.0 * f64::from(step));
                    assert!(
                        (found - expected).abs() < 1e-3 * expected.abs().max(1.0),
                        "{t} {x_t} {x0}: {found}, {expected}"
                    );
                    // An output that is certain and wrong costs much, and no infinity.
                    let certain = process.value_loss(&at, x_t, x0, -80.0 * x0);
                    assert!(certain.iter().all(|v| v.is_finite()), "{t} {x_t} {x0}: {certain:?}");
                }
            }
        }
    }

    /// Of the last step nothing but −ln p(x0 | x_1) is left, which is the cross-entropy.
    #[test]
    fn the_last_term_is_the_cross_entropy() {
        let process = Binomial::new(20, 0.5, Weighting::Simple);
        let (x_t, x0, f) = ([1.0, -1.0, 1.0, -1.0], [1.0, 1.0, -1.0, -1.0], [0.5, -0.25, 2.0, 1.0]);
        let term = process.step_divergence(1, 0, &x_t, &x0, &f);
        assert!((term / 4.0 - process.image_loss(1, &x_t, &x0, &f)).abs() < 1e-12);
        let p = |i: usize| process.p_hat(1, x_t[i], f[i]);
        let expected = -(p(0).ln() + p(1).ln() + (1.0 - p(2)).ln() + (1.0 - p(3)).ln());
        assert!((term - expected).abs() < 1e-9, "{term} {expected}");
        assert_eq!(process.prior(20, 1.0), 0.0);
    }

    #[test]
    fn bits_are_those_above_the_middle_and_keep_their_share() {
        let process = Binomial::new(4, 0.5, Weighting::Simple);
        let gray = [0u8, 127, 128, 255].map(|byte| f32::from(byte) / 127.5 - 1.0);
        let (mut x, mut target) = (gray.repeat(1000), (0..4000).map(|i| (i / 4) as f32 / 1000.0).collect::<Vec<_>>());
        process.noise(2, &mut x, &mut target);
        assert_eq!(target[..4], [-1.0, -1.0, 1.0, 1.0]);
        // Half are kept, half of the others drawn alike.
        let same = x.iter().zip(&target).filter(|(x, x0)| x == x0).count();
        assert_eq!(same, 3000);
        let mut last = gray.repeat(1000);
        process.noise(4, &mut last, &mut (0..4000).map(|i| (i / 4) as f32 / 1000.0).collect::<Vec<_>>());
        assert_eq!(last.iter().filter(|x| **x > 0.0).count(), 2000);
    }
}
