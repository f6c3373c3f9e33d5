//! What the network's output stands for.

/// What the network's output F stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prediction {
    /// F = ε̂; x0_hat = (x_t − σ·F)/α.
    Epsilon,
    /// F = v̂ = α·ε − σ·x_0 (Salimans & Ho 2022); x0_hat = α·x_t − σ·F.
    V,
    /// F = x0_hat.
    X0,
}

impl Prediction {
    /// (k_x, k_eps) at a timestep with ᾱ = `alpha_bar`, where α = √ᾱ and σ = √(1 − ᾱ). They are not finite for
    /// [`Epsilon`](Self::Epsilon) at ᾱ = 0, where ε̂ says nothing about x_0.
    pub fn x0_coefficients(self, alpha_bar: f64) -> (f64, f64) {
        let (alpha, sigma) = (libm::sqrt(alpha_bar), libm::sqrt(1.0 - alpha_bar));
        match self {
            Self::Epsilon => (1.0 / alpha, -sigma / alpha),
            Self::V => (alpha, -sigma),
            Self::X0 => (0.0, 1.0),
        }
    }
}
