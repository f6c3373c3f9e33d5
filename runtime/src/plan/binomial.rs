//! Plans of the binomial process: Sohl-Dickstein et al. 2015, appendix B, table App.1.
//!
//! A bit is kept with probability 1 − β_t in step t and drawn anew from B(π) else, so that with ḡ_t = Π (1 − β_s)
//!
//! ```text
//! q(x_t = 1 | x_0) = ḡ_t·x_0 + (1 − ḡ_t)·π
//! ```
//!
//! With p̂ = p(x_0 = 1 | x_t), which the network says, a step from t to any s < t is
//!
//! ```text
//! p(x_s = 1 | x_t) = u[x_t] + v[x_t]·p̂
//! ```
//!
//! where u[b] and u[b] + v[b] are q(x_s = 1 | x_t = b, x_0) at x_0 = 0 and 1, from Bayes' rule. The network's output F is
//! the part of the logit of p̂ that the other bits decide; a bit's own part is exact,
//!
//! ```text
//! logit p̂ = F + ln(q(x_t | x_0 = 1)/q(x_t | x_0 = 0))
//! ```
//!
//! The arithmetic here is f64 and done once, on a host; a chip reads [`BitStep`]s of integers.

use super::error::PlanError;
use super::step::STEP_LEN;

/// Fills `kept[t − 1]` with ḡ_t of β_t = 1/(T − t + 1), that is (T − t)/T: the bits that a step draws anew are as many in
/// every step (the paper, appendix B.2.2).
pub fn evenly_kept(kept: &mut [f64]) {
    let last = kept.len();
    for (i, kept) in kept.iter_mut().enumerate() {
        *kept = (last - i - 1) as f64 / last as f64;
    }
}

/// q(x_t = 1 | x_0) where ḡ_t = `kept` and π = `mean`.
pub fn marginal(kept: f64, mean: f64, x_0: bool) -> f64 {
    kept * f64::from(u8::from(x_0)) + (1.0 - kept) * mean
}

/// q(x_s = 1 | x_t = b, x_0 = a) at `[b][a]`, where ḡ_t = `now` and ḡ_s = `then` ≥ ḡ_t.
pub fn posterior(now: f64, then: f64, mean: f64) -> [[f64; 2]; 2] {
    let between = if then > 0.0 { now / then } else { 1.0 };
    [false, true].map(|b| {
        // q(x_t = b | x_s = 1) and q(x_t = b | x_s = 0).
        let [from_one, from_zero] = [true, false].map(|x_s| {
            let one = marginal(between, mean, x_s);
            if b {
                one
            } else {
                1.0 - one
            }
        });
        [false, true].map(|a| {
            let one = marginal(then, mean, a);
            let both = from_one * one + from_zero * (1.0 - one);
            if both > 0.0 {
                from_one * one / both
            } else {
                one
            }
        })
    })
}

/// ln(q(x_t = b | x_0 = 1)/q(x_t = b | x_0 = 0)) at `[b]`, where ḡ_t = `kept` < 1.
pub fn own_logits(kept: f64, mean: f64) -> [f64; 2] {
    let [zero, one] = [false, true].map(|x_0| marginal(kept, mean, x_0));
    [libm::log((1.0 - one) / (1.0 - zero)), libm::log(one / zero)]
}

/// One step of a plan over bits. Probabilities are in units of 2^-32, logits in units of 2^-16.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BitStep {
    /// Training timestep t whose p̂ this step evaluates.
    pub timestep: u32,
    /// Row of the model's time table that holds t's channel biases.
    pub time_row: u32,
    /// A bit's own part of the logit of p̂, by the bit.
    pub own_logit: [i32; 2],
    /// q(x_s = 1 | x_t, x_0 = 0), by x_t.
    pub u: [u32; 2],
    /// q(x_s = 1 | x_t, x_0 = 1) − u in units of 2^-31, by x_t.
    pub v: [i32; 2],
    /// q(x_t = 1 | x_0), by x_0: what x_t is made of when this step begins.
    pub level: [u32; 2],
}

impl BitStep {
    /// The little-endian words of a step, in the order of the fields.
    pub fn encode(&self) -> [u8; STEP_LEN] {
        let mut bytes = [0; STEP_LEN];
        let signed = |pair: [i32; 2]| pair.map(|word| word as u32);
        let pairs = [[self.timestep, self.time_row], signed(self.own_logit), self.u, signed(self.v), self.level];
        for (slot, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(pairs.as_flattened()) {
            *slot = word.to_le_bytes();
        }
        bytes
    }

    /// The inverse of [`encode`](Self::encode).
    pub fn decode(bytes: &[u8; STEP_LEN]) -> Self {
        let word = |i: usize| u32::from_le_bytes(bytes.as_chunks::<4>().0.get(i).copied().unwrap_or([0; 4]));
        let pair = |i: usize| [word(2 * i), word(2 * i + 1)];
        let signed = |i: usize| pair(i).map(|word| word as i32);
        Self { timestep: word(0), time_row: word(1), own_logit: signed(1), u: pair(2), v: signed(3), level: pair(4) }
    }
}

/// Fills `out` with the steps from `timesteps[0]` down to 0; `kept[t − 1]` is ḡ_t, `mean` is π. `time_row` is left 0.
/// Returns the number of steps.
///
/// # Errors
/// Timesteps that do not fall, a π outside 0 to 1, or ḡ that does not fall from below 1 to at least 0.
pub fn build_bits(kept: &[f64], mean: f64, timesteps: &[u32], out: &mut [BitStep]) -> Result<usize, PlanError> {
    if timesteps.is_empty() || timesteps.len() > out.len() {
        return Err(PlanError::Length);
    }
    if !(mean > 0.0 && mean < 1.0) {
        return Err(PlanError::NotFinite(0));
    }
    let of = |t: u32| if t == 0 { Some(1.0) } else { kept.get(t as usize - 1).copied() };
    for (i, (&t, step)) in timesteps.iter().zip(out.iter_mut()).enumerate() {
        let next = timesteps.get(i + 1).copied().unwrap_or(0);
        let (Some(now), Some(then), true) = (of(t), of(next), t > next) else { return Err(PlanError::Timesteps(i)) };
        // Also refuses NaN.
        if !(now >= 0.0 && now < then && then <= 1.0) {
            return Err(PlanError::Schedule { timestep: t });
        }
        let posterior = posterior(now, then, mean);
        *step = BitStep {
            timestep: t,
            time_row: 0,
            own_logit: own_logits(now, mean).map(|logit| libm::round(logit * 65_536.0) as i32),
            u: posterior.map(|[zero, _]| probability(zero)),
            v: posterior.map(|[zero, one]| libm::round((one - zero) * 2_147_483_648.0) as i32),
            level: [false, true].map(|x_0| probability(marginal(now, mean, x_0))),
        };
    }
    Ok(timesteps.len())
}

/// In units of 2^-32; 1 is the largest below it.
fn probability(p: f64) -> u32 {
    libm::round(p * 4_294_967_296.0) as u32
}
