//! A Gaussian process whose noise is learned with the network, as in Sohl-Dickstein et al. 2015 (section 2.4.1 and
//! appendix B.1): β_2 to β_T by gradient on the bound with frozen noise, and a variance for every step back.
//!
//! Both are tables. The log-SNR λ_t = ln(ᾱ_t/(1 − ᾱ_t)) falls from λ_1, which β_1 fixes, by a learned e^φ in every
//! step. A step back has the variance σ² = β̃ + b²·m_t, where m_t = (1 − ᾱ_t)·e^μ is the learned mean squared error of
//! x̂0 and b its weight in the posterior mean: the variance for which the bound is least, if m_t is true. With
//! r = e^(λ_{t−1} − λ_t) and the squared error (1 − ᾱ_t)·u of x̂0, which for v-prediction is that of F times 1 − ᾱ_t, a
//! term of the bound in nats a value is
//!
//! ```text
//! L_{t−1} = ½·(ln(1 + c·e^μ) + (1 + c·u)/(1 + c·e^μ) − 1),   c = ᾱ_t·(r − 1)
//! L_0     = ½·(ln(2π·m_1) + u·e^−μ)
//! ```
use crate::autograd::loss::Loss;
use crate::autograd::{Act, Buffer, Parameters, Tape};
use crate::graph::{BlockId, Init, Layout};
use crate::{Error, Result};
use brownian::plan::schedule::Schedule;
use serde::{Deserialize, Serialize};

/// λ_T before anything is learned: noise alone, but for a part in 3,000 of its variance.
const LAST_LOG_SNR: f64 = -8.0;
/// The largest μ, and the smallest with a minus: e^±60 stays a number of single precision for any factor on the data.
const MOST_LOG_ERROR: f64 = 60.0;
/// The blocks of parameters: φ for t = 2..=T, and μ for t = 1..=T.
const BLOCKS: [&str; 2] = ["process.falls", "process.errors"];

/// What is learned of a process, by t − 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Learned {
    /// ᾱ_t.
    pub alpha_bars: Vec<f64>,
    /// m_t, the mean squared error of x̂0 of a value.
    pub errors: Vec<f64>,
}

/// ᾱ of a log-SNR.
fn alpha_bar(log_snr: f64) -> f64 {
    1.0 / (1.0 + (-log_snr).exp())
}

/// λ_1 of β_1.
fn first_log_snr(beta_first: f64) -> f64 {
    ((1.0 - beta_first) / beta_first).ln()
}

/// The schedule that learning starts from: log-SNRs at equal distances.
pub fn start(beta_first: f64) -> Schedule {
    let level = |log_snr: f64| (-0.5 * log_snr).exp();
    Schedule::Geometric { lowest: level(first_log_snr(beta_first)), highest: level(LAST_LOG_SNR) }
}

/// Adds the parameters of a learned process behind those of a network.
pub fn push(layout: &mut Layout, timesteps: usize, beta_first: f64) {
    let fall = (first_log_snr(beta_first) - LAST_LOG_SNR) / (timesteps - 1) as f64;
    layout.push(BLOCKS[0].into(), vec![timesteps - 1], Init::Constant(fall.ln() as f32));
    layout.push(BLOCKS[1].into(), vec![timesteps], Init::Constant(0.0));
}

/// A batch with noise on it, while its gradients are on a tape.
#[derive(Debug)]
pub struct Noised {
    /// x_t, which has a gradient.
    pub x: Act,
    /// v of every value.
    target: Vec<f32>,
    /// Mean square of the values of each x0.
    squares: Vec<f64>,
}

/// A process in training, from the parameters of this moment.
#[derive(Clone, Debug)]
pub struct Learning {
    blocks: [std::ops::Range<usize>; 2],
    /// φ and μ.
    falls: Vec<f64>,
    log_errors: Vec<f64>,
    log_snr: Vec<f64>,
}

/// A term of the bound, and its derivatives by u, μ, λ_t and φ_t.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Term {
    value: f64,
    by_u: f64,
    by_log_error: f64,
    by_log_snr: f64,
    by_fall: f64,
}

impl Learning {
    /// The tables in these parameters; `None` of a network without any.
    pub fn of(layout: &Layout, params: &[f32], beta_first: f64) -> Option<Self> {
        let id = |name: &str| -> Option<BlockId> { layout.blocks.iter().position(|block| block.name == name) };
        let ids = [id(BLOCKS[0])?, id(BLOCKS[1])?];
        let values = ids.map(|id| layout.slice(id, params).iter().map(|v| f64::from(*v)).collect::<Vec<_>>());
        let [falls, log_errors] = values;
        let mut log_snr = vec![first_log_snr(beta_first)];
        falls.iter().for_each(|fall| log_snr.push(log_snr[log_snr.len() - 1] - fall.exp()));
        Some(Self { blocks: ids.map(|id| layout.blocks[id].range.clone()), falls, log_errors, log_snr })
    }

    /// Checks that the parameters stand for a process.
    ///
    /// # Errors
    /// A fall after which ᾱ is no smaller than before, or 0, in 64 bits; an error whose logarithm is beyond ±60. Both
    /// name the tensor and the place in it.
    pub fn check(&self) -> Result<()> {
        let mut before = alpha_bar(self.log_snr[0]);
        for (at, (fall, log_snr)) in self.falls.iter().zip(&self.log_snr[1..]).enumerate() {
            let now = alpha_bar(*log_snr);
            if !(f64::MIN_POSITIVE..before).contains(&now) {
                return Err(Error::Invalid(format!(
                    "the tensor {} holds {fall} at {at}, by whose power of e the log-SNR would fall from {:.4} to {log_snr:.4}; \
                     alpha_bar must fall in every step and stay above 0: take an earlier checkpoint of the training",
                    BLOCKS[0], self.log_snr[at]
                )));
            }
            before = now;
        }
        match self.log_errors.iter().position(|error| !(-MOST_LOG_ERROR..=MOST_LOG_ERROR).contains(error)) {
            None => Ok(()),
            Some(at) => Err(Error::Invalid(format!(
                "the tensor {} holds {} at {at}, the logarithm of a squared error; give -{MOST_LOG_ERROR} to \
                 {MOST_LOG_ERROR}: take an earlier checkpoint of the training",
                BLOCKS[1], self.log_errors[at]
            ))),
        }
    }

    /// What the parameters stand for.
    pub fn tables(&self) -> Learned {
        let alpha_bars: Vec<f64> = self.log_snr.iter().map(|log_snr| alpha_bar(*log_snr)).collect();
        let errors = alpha_bars.iter().zip(&self.log_errors).map(|(a, error)| (1.0 - a) * error.exp()).collect();
        Learned { alpha_bars, errors }
    }

    /// L_{t−1} where the squared error of F is `u`.
    fn term(&self, t: usize, u: f64) -> Term {
        let (alpha_bar, m) = (alpha_bar(self.log_snr[t - 1]), self.log_errors[t - 1].exp());
        if t == 1 {
            let deviation = 2.0 * std::f64::consts::PI * (1.0 - alpha_bar) * m;
            let value = 0.5 * (deviation.ln() + u / m);
            return Term { value, by_u: 0.5 / m, by_log_error: 0.5 * (1.0 - u / m), ..Term::default() };
        }
        let fall = self.falls[t - 2].exp();
        // r − 1 keeps its digits where a fall is small.
        let c = alpha_bar * fall.exp_m1();
        let (ours, found) = (1.0 + c * m, 1.0 + c * u);
        let by_c = 0.5 * (m / ours + u / ours - found * m / (ours * ours));
        Term {
            value: 0.5 * (ours.ln() + found / ours - 1.0),
            by_u: 0.5 * c / ours,
            by_log_error: 0.5 * c * m * (1.0 - found / ours) / ours,
            by_log_snr: by_c * (1.0 - alpha_bar) * c,
            by_fall: by_c * alpha_bar * fall.exp() * fall,
        }
    }

    /// L_T of a value whose square is `square`, and its derivative by λ_T.
    fn prior(&self) -> impl Fn(f64) -> [f64; 2] {
        let alpha_bar = alpha_bar(self.log_snr[self.log_snr.len() - 1]);
        move |square| {
            let value = 0.5 * (alpha_bar * square - alpha_bar - (-alpha_bar).ln_1p());
            [value, 0.5 * alpha_bar * ((1.0 - alpha_bar) * (square - 1.0) + 1.0)]
        }
    }

    /// Adds what the derivatives by λ_t of each timestep make of the parameters φ: λ_t falls by all e^φ up to t.
    fn falls_from(&self, by_log_snr: &[f64], grad: &mut [f32]) {
        let mut later = 0.0;
        for t in (2..=self.log_snr.len()).rev() {
            later += by_log_snr[t - 1];
            grad[self.blocks[0].start + t - 2] -= (later * self.falls[t - 2].exp()) as f32;
        }
    }

    /// x_t of `x0` and its noise, one timestep an image: what is recorded takes the gradient of x_t to the schedule,
    /// which moves x_t while the noise stays ("frozen", section 2.4.1).
    pub fn noise(&self, tape: &mut Tape, params: &Parameters, x0: &Act, noise: &[f32], timesteps: &[usize]) -> Noised {
        let len = x0.shape().len();
        let (mut x, mut target) = (x0.values().to_vec(), noise.to_vec());
        let images = x.chunks_exact_mut(len).zip(target.chunks_exact_mut(len)).zip(timesteps);
        for ((x, target), t) in images {
            let alpha_bar = alpha_bar(self.log_snr[t - 1]);
            let (alpha, sigma) = (alpha_bar.sqrt() as f32, (1.0 - alpha_bar).sqrt() as f32);
            for (x, target) in x.iter_mut().zip(target) {
                (*x, *target) = (alpha * *x + sigma * *target, alpha * *target - sigma * *x);
            }
        }
        let mean_square = |x0: &[f32]| x0.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / len as f64;
        let squares = x0.values().chunks_exact(len).map(mean_square).collect();
        let x = tape.hold(Buffer::copy_of(&x), x0.batch(), x0.shape());
        let (learning, params, at, v, timesteps) =
            (self.clone(), params.clone(), x.clone(), target.clone(), timesteps.to_vec());
        tape.record(move |grads| {
            let dx = at.take_grad(grads)?;
            let mut by_log_snr = vec![0.0; learning.log_snr.len()];
            for ((dx, v), t) in dx.chunks_exact(len).zip(v.chunks_exact(len)).zip(timesteps) {
                // dx_t/dλ = −½·α·σ·v.
                let along: f64 = dx.iter().zip(v).map(|(dx, v)| f64::from(*dx) * f64::from(*v)).sum();
                by_log_snr[t - 1] -= 0.5 * learning.signal_noise(t) * along;
            }
            learning.falls_from(&by_log_snr, params.grad(grads)?);
            Ok(())
        });
        Noised { x, target, squares }
    }

    /// α·σ of a timestep.
    fn signal_noise(&self, t: usize) -> f64 {
        let alpha_bar = alpha_bar(self.log_snr[t - 1]);
        (alpha_bar * (1.0 - alpha_bar)).sqrt()
    }

    /// Records the bound in nats a value, of which one of T terms was drawn an image: L_T and T times the term, the mean
    /// over a batch.
    pub fn loss(&self, tape: &mut Tape, params: &Parameters, f: &Act, noised: Noised, timesteps: &[usize]) -> Loss {
        let (len, last) = (f.shape().len(), self.log_snr.len());
        let share = 1.0 / f.batch() as f64;
        let prior = self.prior();
        let mut grad = Buffer::stale(f.values().len());
        let mut by_log_snr = vec![0.0; last];
        // Of the parameters themselves.
        let mut own = vec![0.0f32; params.values().len()];
        let mut value = 0.0;
        for (i, t) in timesteps.iter().enumerate() {
            let range = i * len..(i + 1) * len;
            let (f, v, x) =
                (&f.values()[range.clone()], &noised.target[range.clone()], &noised.x.values()[range.clone()]);
            let off = |k: usize| f64::from(f[k]) - f64::from(v[k]);
            let u = (0..len).map(|k| off(k).powi(2)).sum::<f64>() / len as f64;
            let (term, [start, start_slope]) = (self.term(*t, u), prior(noised.squares[i]));
            let weight = share * last as f64;
            value += weight * term.value + share * start;
            let slope = 2.0 * weight * term.by_u / len as f64;
            grad[range].iter_mut().enumerate().for_each(|(k, slot)| *slot = (slope * off(k)) as f32);
            // v moves with the schedule too: dv/dλ = ½·α·σ·x_t.
            let along: f64 = (0..len).map(|k| -slope * off(k) * f64::from(x[k])).sum();
            if *t > 1 {
                by_log_snr[t - 1] += weight * term.by_log_snr + 0.5 * self.signal_noise(*t) * along;
                own[self.blocks[0].start + t - 2] += (weight * term.by_fall) as f32;
            }
            by_log_snr[last - 1] += share * start_slope;
            own[self.blocks[1].start + t - 1] += (weight * term.by_log_error) as f32;
        }
        self.falls_from(&by_log_snr, &mut own);
        let params = params.clone();
        tape.record(move |grads| {
            params.grad(grads)?.iter_mut().zip(own).for_each(|(grad, own)| *grad += own);
            Ok(())
        });
        Loss::of_gradients(tape, value, vec![(f.clone(), grad)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Shape;
    use crate::process::{Gaussian, Prediction, Weighting};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    const TIMESTEPS: usize = 5;
    const BETA_FIRST: f64 = 0.02;

    fn layout() -> Layout {
        let mut layout = Layout::default();
        layout.push("layer.weight".into(), vec![3], Init::Constant(1.0));
        push(&mut layout, TIMESTEPS, BETA_FIRST);
        layout
    }

    /// Parameters that differ from block to block and from step to step.
    fn params(layout: &Layout) -> Vec<f32> {
        let start = layout.init(0);
        start.iter().enumerate().map(|(i, v)| v + 0.3 * (i as f32 * 1.7).sin()).collect()
    }

    #[test]
    fn what_is_learned_starts_as_a_geometric_schedule() {
        let layout = layout();
        let learning = Learning::of(&layout, &layout.init(0), BETA_FIRST).unwrap();
        let mut expected = vec![0.0; TIMESTEPS];
        start(BETA_FIRST).alpha_bars(&mut expected);
        for (found, expected) in learning.tables().alpha_bars.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
        assert!(Learning::of(&Layout::default(), &[], BETA_FIRST).is_none());
    }

    #[test]
    fn what_is_no_process_is_named() {
        let layout = layout();
        let params = layout.init(0);
        let check = |at: usize, value: f32| {
            let mut params = params.clone();
            params[at] = value;
            Learning::of(&layout, &params, BETA_FIRST).unwrap().check()
        };
        let (falls, errors) = (3, 3 + TIMESTEPS - 1);
        for (at, value, words) in [
            (falls, 100.0, "the tensor process.falls holds 100 at 0"),
            (falls + 2, 7.0, "the tensor process.falls holds 7 at 2"),
            (falls + 3, -100.0, "the tensor process.falls holds -100 at 3"),
            (errors, 100.0, "the tensor process.errors holds 100 at 0"),
            (errors + 4, -100.0, "the tensor process.errors holds -100 at 4"),
        ] {
            let error = check(at, value).unwrap_err().to_string();
            assert!(error.starts_with(words), "{error}");
        }
        for (at, value) in [(falls, -3.0), (falls + 1, 3.0), (errors, -40.0), (errors + 2, 20.0)] {
            check(at, value).unwrap();
        }
    }

    /// The loss of a batch for F = 0.3·x_t, one image a timestep, and its gradient by every parameter.
    fn evaluate(params: &[f32]) -> (f64, Vec<f32>, [Vec<f32>; 3]) {
        let layout = layout();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut values = || (0..2 * TIMESTEPS).map(|_| rng.random_range(-1.0..1.0)).collect::<Vec<f32>>();
        let (x0, noise) = (values(), values());
        let timesteps: Vec<usize> = (1..=TIMESTEPS).collect();
        let learning = Learning::of(&layout, params, BETA_FIRST).unwrap();
        let (mut tape, parameters) = (Tape::default(), Parameters::new(params.to_vec()));
        let held = tape.hold(Buffer::copy_of(&x0), TIMESTEPS, Shape::new(1, 1, 2));
        let noised = learning.noise(&mut tape, &parameters, &held, &noise, &timesteps);
        let f: Vec<f32> = noised.x.values().iter().map(|x| 0.3 * x).collect();
        let seen = [noised.x.values().to_vec(), noised.target.clone(), f.clone()];
        let output = tape.hold(Buffer::from(f), TIMESTEPS, Shape::new(1, 1, 2));
        let (from, to) = (noised.x.clone(), output.clone());
        tape.record(move |grads| {
            let dy = to.take_grad(grads)?;
            from.give_grad(grads, Buffer::from(dy.iter().map(|d| 0.3 * d).collect::<Vec<f32>>()))
        });
        let loss = learning.loss(&mut tape, &parameters, &output, noised, &timesteps);
        let value = loss.value;
        let mut grads = loss.backward(tape).unwrap();
        (value, parameters.grad(&mut grads).unwrap().to_vec(), seen)
    }

    /// By the schedule, through x_t, v and the weights of the terms, and by the variances.
    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let start = params(&layout());
        let (_, found, _) = evaluate(&start);
        assert_eq!(found[..3], [0.0; 3], "weights of layers have no part in it");
        let [mut of_schedule, mut of_variances] = [0; 2];
        for at in 3..start.len() {
            let moved = |by: f32| {
                let mut params = start.clone();
                params[at] += by;
                evaluate(&params).0
            };
            let expected = (moved(5e-3) - moved(-5e-3)) / 1e-2;
            let found = f64::from(found[at]);
            assert!((found - expected).abs() < 2e-3 * expected.abs().max(1.0), "{at}: {found}, {expected}");
            let part = if at < 3 + TIMESTEPS - 1 { &mut of_schedule } else { &mut of_variances };
            *part += usize::from(expected.abs() > 1e-2);
        }
        assert!(of_schedule >= 2 && of_variances >= 2, "{of_schedule} and {of_variances} slopes are no zeros");
    }

    /// The loss in training is the one that validation and the bound compute from the tables.
    #[test]
    fn the_loss_is_the_bound_of_the_tables() {
        let params = params(&layout());
        let (value, _, [x, target, f]) = evaluate(&params);
        let tables = Learning::of(&layout(), &params, BETA_FIRST).unwrap().tables();
        let process =
            Gaussian::new(tables.alpha_bars, Prediction::V, Weighting::Variational, 5.0).with_errors(tables.errors);
        let image = |i: usize| process.image_loss(i + 1, &x[2 * i..][..2], &target[2 * i..][..2], &f[2 * i..][..2]);
        let expected = (0..TIMESTEPS).map(image).sum::<f64>() / TIMESTEPS as f64;
        assert!((value - expected).abs() < 1e-4, "{value} {expected}");
    }
}
