//! What a network learns: from noise of which schedule, what its output stands for, and how its errors weigh.
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// What the network's output F stands for, with α = √ᾱ and σ = √(1 − ᾱ).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Prediction {
    /// F = ε.
    Epsilon,
    /// F = v = α·ε − σ·x0 (Salimans & Ho 2022): ε̂ = σ·x_t + α·F, x̂0 = α·x_t − σ·F.
    V,
    /// F = x0.
    X0,
}

impl From<Prediction> for brownian::plan::Prediction {
    fn from(prediction: Prediction) -> Self {
        match prediction {
            Prediction::Epsilon => Self::Epsilon,
            Prediction::V => Self::V,
            Prediction::X0 => Self::X0,
        }
    }
}

impl Prediction {
    /// ε̂ = `[0]`·x_t + `[1]`·F at ᾱ = `alpha_bar` < 1.
    pub(super) fn epsilon_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        let (alpha, sigma) = (alpha_bar.sqrt(), (1.0 - alpha_bar).sqrt());
        match self {
            Self::Epsilon => [0.0, 1.0],
            Self::V => [sigma, alpha],
            Self::X0 => [1.0 / sigma, -alpha / sigma],
        }
    }

    /// x̂0 = `[0]`·x_t + `[1]`·F at ᾱ = `alpha_bar` > 0, as the plans have it.
    pub(super) fn x0_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        brownian::plan::Prediction::from(self).x0_coefficients(alpha_bar).into()
    }

    /// The target of F = `[0]`·x0 + `[1]`·ε.
    pub(super) fn target_coefficients(self, alpha_bar: f64) -> [f64; 2] {
        match self {
            Self::Epsilon => [0.0, 1.0],
            Self::V => [-(1.0 - alpha_bar).sqrt(), alpha_bar.sqrt()],
            Self::X0 => [1.0, 0.0],
        }
    }
}

/// The weight of a timestep in the loss.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    /// 1: L_simple on the chosen prediction.
    Simple,
    /// As `simple` where SNR = ᾱ/(1 − ᾱ) is at most γ, and less above: min(SNR, γ) + 1 on the error of x0, that is
    /// (min(SNR, γ) + 1)/(SNR + 1) on that of v. On ε it is min(SNR, γ)/SNR (Hang et al. 2023).
    MinSnr,
    /// β²/(2σ²α(1 − ᾱ)) with σ² = β on the error of ε: the variational bound (Ho et al. 2020, equation 12), scaled to
    /// mean 1.
    Variational,
}

impl Weighting {
    /// The weight on the squared error of F for each timestep, `[t - 1]`; `gamma` is that of [`Self::MinSnr`].
    pub(super) fn table(self, prediction: Prediction, gamma: f64, alpha_bars: &[f64]) -> Vec<f64> {
        let before = std::iter::once(&1.0).chain(alpha_bars);
        let weight = |(alpha_bar, before): (&f64, &f64)| {
            let snr = alpha_bar / (1.0 - alpha_bar);
            match self {
                Self::Simple => 1.0,
                Self::MinSnr => match prediction {
                    Prediction::Epsilon => snr.min(gamma) / snr,
                    Prediction::V => (snr.min(gamma) + 1.0) / (snr + 1.0),
                    Prediction::X0 => snr.min(gamma) + 1.0,
                },
                Self::Variational => {
                    // The error of ε is that of F times 1, √ᾱ or √(ᾱ/(1 − ᾱ)); with ᾱ/α = ᾱ_{t−1} nothing is divided by
                    // ᾱ_T, which may be 0.
                    let beta = 1.0 - alpha_bar / before;
                    let slope = match prediction {
                        Prediction::Epsilon => before / alpha_bar,
                        Prediction::V => *before,
                        Prediction::X0 => before / (1.0 - alpha_bar),
                    };
                    beta / (2.0 * (1.0 - alpha_bar)) * slope
                }
            }
        };
        let mut table: Vec<f64> = alpha_bars.iter().zip(before).map(weight).collect();
        if self == Self::Variational {
            let mean = table.iter().sum::<f64>() / table.len() as f64;
            table.iter_mut().for_each(|w| *w /= mean);
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use brownian::plan::schedule::rescale_to_zero_terminal_snr;

    use crate::process::ScheduleName;

    /// Schedules as they are, and with ᾱ_T = 0.
    fn tables() -> Vec<Vec<f64>> {
        let mut tables = vec![];
        for name in [ScheduleName::Linear, ScheduleName::Cosine, ScheduleName::Sigmoid] {
            let mut alpha_bars = vec![0.0; 100];
            name.schedule(100).alpha_bars(&mut alpha_bars);
            tables.push(alpha_bars.clone());
            rescale_to_zero_terminal_snr(&mut alpha_bars);
            tables.push(alpha_bars);
        }
        tables
    }

    #[test]
    fn weights_agree_between_predictions() {
        // An error of x0 weighs the same whether it is measured on x0 or, multiplied by SNR + 1, on v.
        for alpha_bars in tables() {
            for weighting in [Weighting::MinSnr, Weighting::Variational] {
                let v = weighting.table(Prediction::V, 5.0, &alpha_bars);
                let x0 = weighting.table(Prediction::X0, 5.0, &alpha_bars);
                assert!(v.iter().chain(&x0).all(|w| w.is_finite() && *w > 0.0), "{weighting:?}");
                let ratio = |i: usize| v[i] / (1.0 - alpha_bars[i]) / x0[i];
                for i in 0..100 {
                    assert!((ratio(i) / ratio(0) - 1.0).abs() < 1e-9, "{weighting:?} at {i}");
                }
            }
            assert!(Weighting::Simple.table(Prediction::V, 5.0, &alpha_bars).iter().all(|w| *w == 1.0));
        }
    }
}
