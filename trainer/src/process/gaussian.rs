//! The variance-preserving Gaussian process (Ho et al. 2020): x_t = √ᾱ_t·x0 + √(1 − ᾱ_t)·ε with ε from N(0, 1), t =
//! 1..=T.
use super::likelihood;
use super::objective::{Prediction, Weighting};
use std::ops::{Add, Mul};

/// A Gaussian process, what a network learns of it, and how much each timestep weighs.
#[derive(Clone, Debug, PartialEq)]
pub struct Gaussian {
    alpha_bars: Vec<f64>,
    prediction: Prediction,
    weights: Vec<f64>,
    scale: f64,
    /// The mean squared error of x̂0 at `[t − 1]`, where it is learned.
    errors: Option<Vec<f64>>,
}

/// The sum of two quantities with fixed factors, `[0]`·a + `[1]`·b: everything that the process does to one value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mix<F>(pub [F; 2]);

impl<F: Copy + Mul<Output = F> + Add<Output = F>> Mix<F> {
    /// The sum.
    pub fn of(&self, a: F, b: F) -> F {
        self.0[0] * a + self.0[1] * b
    }
}

impl Mix<f64> {
    /// The same in single precision, as training computes.
    pub fn single(self) -> Mix<f32> {
        Mix(self.0.map(|factor| factor as f32))
    }
}

impl Gaussian {
    /// The process of ᾱ_t = `alpha_bars[t − 1]`, for a network whose output F stands for `prediction`; `snr_gamma` is
    /// the γ of [`Weighting::MinSnr`].
    pub fn new(alpha_bars: Vec<f64>, prediction: Prediction, weighting: Weighting, snr_gamma: f64) -> Self {
        let weights = weighting.table(prediction, snr_gamma, &alpha_bars);
        Self { alpha_bars, prediction, weights, scale: 1.0, errors: None }
    }

    /// The same process on `scale` times the data: x0 and x̂0 are those of the data, x_t, F and ε those of the process.
    pub fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// The process with learned variances: `errors[t − 1]` is the mean squared error of x̂0 at t.
    pub fn with_errors(self, errors: Vec<f64>) -> Self {
        Self { errors: Some(errors), ..self }
    }

    /// The learned mean squared error of x̂0 at `[t − 1]`; `None` where it is not learned.
    pub fn errors(&self) -> Option<&[f64]> {
        self.errors.as_deref()
    }

    /// T.
    pub fn timesteps(&self) -> usize {
        self.alpha_bars.len()
    }

    /// ᾱ_t.
    pub fn alpha_bar(&self, t: usize) -> f64 {
        self.alpha_bars[t - 1]
    }

    /// √(1 − ᾱ_t).
    fn noise_level(&self, t: usize) -> f64 {
        (1.0 - self.alpha_bar(t)).sqrt()
    }

    /// The weight of timestep `t` on the squared error of F.
    pub fn weight(&self, t: usize) -> f64 {
        self.weights[t - 1]
    }

    /// x_t of (x0, ε): the forward process.
    pub fn x_t(&self, t: usize) -> Mix<f64> {
        Mix([self.alpha_bar(t).sqrt() * self.scale, self.noise_level(t)])
    }

    /// The target of F, of (x0, ε).
    pub fn target(&self, t: usize) -> Mix<f64> {
        let [of_x0, of_epsilon] = self.prediction.target_coefficients(self.alpha_bar(t));
        Mix([of_x0 * self.scale, of_epsilon])
    }

    /// x̂0 of (x_t, F), as the plans have it.
    pub fn x0_hat(&self, t: usize) -> Mix<f64> {
        Mix(self.prediction.x0_coefficients(self.alpha_bar(t)).map(|factor| factor / self.scale))
    }

    /// ε̂ of (x_t, F).
    pub fn eps_hat(&self, t: usize) -> Mix<f64> {
        Mix(self.prediction.epsilon_coefficients(self.alpha_bar(t)))
    }

    /// The ε that leads from an x̂0 to x_t.
    pub fn epsilon_of(&self, t: usize, x_t: f64, x0_hat: f64) -> f64 {
        (x_t - self.alpha_bar(t).sqrt() * self.scale * x0_hat) / self.noise_level(t)
    }

    /// Noises the values of an image in single precision: `x` holds x0 and receives x_t, `target` holds ε and receives
    /// F's target.
    pub fn noise(&self, t: usize, x: &mut [f32], target: &mut [f32]) {
        let (noised, learned) = (self.x_t(t).single(), self.target(t).single());
        for (x, target) in x.iter_mut().zip(target) {
            let (x0, epsilon) = (*x, *target);
            *x = noised.of(x0, epsilon);
            *target = learned.of(x0, epsilon);
        }
    }

    /// L_T of one value in nats (equation 5): the divergence of N(√ᾱ_T·x0, 1 − ᾱ_T) from N(0, 1), for a squared value
    /// or its mean.
    pub fn prior(&self, squared_x0: f64) -> f64 {
        let alpha_bar = self.alpha_bar(self.timesteps());
        0.5 * (alpha_bar * squared_x0 * self.scale.powi(2) - alpha_bar - (1.0 - alpha_bar).ln())
    }

    /// L_{t−1} of one value in nats, t > 1: the divergence of q(x_{t−1} | x_t, x0) (variance β̃_t) from p(x_{t−1} |
    /// x_t) (variance β_t, or the learned one); `squared_error` is that of x̂0. With ε − ε̂ = √(ᾱ/(1 − ᾱ))·(x̂0 − x0) and ᾱ_t/α_t =
    /// ᾱ_{t−1}, β_t/(2α_t(1 − ᾱ_t))·(ε − ε̂)² is written without a division by ᾱ_T, which may be 0.
    pub fn step_divergence(&self, t: usize, squared_error: f64) -> f64 {
        let (alpha_bar, before) = (self.alpha_bar(t), self.alpha_bar(t - 1));
        if let Some(errors) = &self.errors {
            // σ² = β̃ + b²·m = β̃·(1 + gain·m) with the gain in signal-to-noise ratio.
            let gain = (before / (1.0 - before) - alpha_bar / (1.0 - alpha_bar)) * self.scale.powi(2);
            let ours = 1.0 + gain * errors[t - 1];
            return 0.5 * (ours.ln() + (1.0 + gain * squared_error) / ours - 1.0);
        }
        let beta = 1.0 - alpha_bar / before;
        let ratio = (1.0 - before) / (1.0 - alpha_bar);
        let squared_error = squared_error * self.scale.powi(2);
        0.5 * (ratio - 1.0 - ratio.ln()) + beta * before / (2.0 * (1.0 - alpha_bar).powi(2)) * squared_error
    }

    /// L_0 of one gray level in nats (equation 13): the mean of p(x0 | x_1) is x̂0 itself, its variance β_1 = 1 − ᾱ_1.
    pub fn reconstruction(&self, x0: f64, x0_hat: f64) -> f64 {
        likelihood::gray_level(x0, x0_hat, self.noise_level(1) / self.scale)
    }

    /// L_0 of data that are real numbers: the same with a density, whose variance may be learned.
    pub fn reconstruction_density(&self, x0: f64, x0_hat: f64) -> f64 {
        let deviation =
            self.errors.as_ref().map_or_else(|| self.noise_level(1) / self.scale, |errors| errors[0].sqrt());
        likelihood::density(x0, x0_hat, deviation)
    }

    /// The loss of an image, a mean over values: the weighted squared error of F, or, where variances are learned, L_T and
    /// T times the term of the bound.
    pub fn image_loss(&self, t: usize, x: &[f32], target: &[f32], f: &[f32]) -> f64 {
        let count = f.len() as f64;
        if self.errors.is_none() {
            let squares = f.iter().zip(target).map(|(f, target)| f64::from(f - target).powi(2));
            return self.weight(t) * squares.sum::<f64>() / count;
        }
        let estimate = self.x0_hat(t);
        let values = x.iter().zip(target).zip(f);
        let values = values.map(|((x, target), f)| [target, f].map(|f| estimate.of(f64::from(*x), f64::from(*f))));
        let [mut prior, mut term, mut squared_x0_error] = [0.0; 3];
        for [x0, x0_hat] in values {
            prior += self.prior(x0 * x0) / count;
            squared_x0_error += (x0 - x0_hat).powi(2) / count;
            term += self.reconstruction_density(x0, x0_hat) / count;
        }
        prior + self.timesteps() as f64 * if t == 1 { term } else { self.step_divergence(t, squared_x0_error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian::plan::schedule::{rescale_to_zero_terminal_snr, Schedule};

    #[test]
    fn estimates_undo_the_forward_process() {
        let settings = [Prediction::Epsilon, Prediction::V, Prediction::X0].map(|p| [(p, 1.0), (p, 6.67)]);
        for (prediction, scale) in settings.into_iter().flatten() {
            let process = Gaussian::new(vec![0.999, 0.5, 0.01], prediction, Weighting::Simple, 5.0).scaled(scale);
            for t in 1..=3 {
                let (x0, epsilon) = (0.3, -1.2);
                let (x, f) = (process.x_t(t).of(x0, epsilon), process.target(t).of(x0, epsilon));
                assert!((process.x0_hat(t).of(x, f) - x0).abs() < 1e-12);
                assert!((process.eps_hat(t).of(x, f) - epsilon).abs() < 1e-12);
                assert!((process.epsilon_of(t, x, x0) - epsilon).abs() < 1e-12);
                let (mut image, mut target) = ([x0 as f32; 3], [epsilon as f32; 3]);
                process.noise(t, &mut image, &mut target);
                assert!((f64::from(image[2]) - x).abs() < 1e-6 && (f64::from(target[2]) - f).abs() < 1e-6);
            }
        }
    }

    /// Data in other units cost their density in these: the bound of N(0, 1/s²) under a scale of s is lower by ln(s).
    #[test]
    fn a_scale_is_a_change_of_units() {
        let mut alpha_bars = vec![0.0; 200];
        Schedule::COSINE.alpha_bars(&mut alpha_bars);
        let process = Gaussian::new(alpha_bars, Prediction::V, Weighting::Simple, 5.0);
        let scaled = process.clone().scaled(4.0);
        for t in [2, 90, 200] {
            assert!((process.step_divergence(t, 0.3) - scaled.step_divergence(t, 0.3 / 16.0)).abs() < 1e-12);
        }
        assert!((process.prior(1.0) - scaled.prior(1.0 / 16.0)).abs() < 1e-12);
        let [one, other] = [process.reconstruction_density(0.1, 0.2), scaled.reconstruction_density(0.025, 0.05)];
        assert!((one - other - 4f64.ln()).abs() < 1e-9, "{one} {other}");
    }

    /// Data N(0, 1), exact ε̂ = √(1 − ᾱ)·x_t and x̂0 = √ᾱ·x_t (squared error 1 − ᾱ), σ² = β and a decoder of variance
    /// β_1: every step of the reverse chain is exact, so the bound is the data's entropy ½·ln(2πe).
    #[test]
    fn normal_data_cost_their_entropy() {
        for (schedule, timesteps, zero_terminal_snr) in
            [(Schedule::LINEAR, 1000, false), (Schedule::COSINE, 200, false), (Schedule::SIGMOID, 400, true)]
        {
            let mut alpha_bars = vec![0.0; timesteps];
            schedule.alpha_bars(&mut alpha_bars);
            if zero_terminal_snr {
                rescale_to_zero_terminal_snr(&mut alpha_bars);
            }
            let process = Gaussian::new(alpha_bars, Prediction::V, Weighting::Simple, 5.0);
            let steps: f64 = (2..=timesteps).map(|t| process.step_divergence(t, 1.0 - process.alpha_bar(t))).sum();
            // L_0 with a density: ½·ln(2πβ_1) + E(x0 − μ_1)²/(2β_1), where E(x0 − μ_1)² = β_1²/(α_1(1 − ᾱ_1))·ᾱ_1.
            let (alpha_bar, beta) = (process.alpha_bar(1), 1.0 - process.alpha_bar(1));
            let squared = beta * beta / (alpha_bar * (1.0 - alpha_bar)) * alpha_bar;
            let decoder = 0.5 * (2.0 * std::f64::consts::PI * beta).ln() + squared / (2.0 * beta);
            let (total, entropy) = (process.prior(1.0) + steps + decoder, 1.418_938_533_2);
            assert!((total - entropy).abs() < 1e-9, "{total}");
        }
    }
}
