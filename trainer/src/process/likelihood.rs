//! How probable a value is, given a normal distribution around an estimate of it: in nats, as the variational bound
//! charges it.

/// Half the distance between two gray levels.
const HALF_LEVEL: f64 = 1.0 / 255.0;

/// −ln of the probability that a normal value of this mean and standard deviation rounds to the gray level `x0`; the
/// two outermost levels take the tails (Ho et al. 2020, equation 13).
pub fn gray_level(x0: f64, mean: f64, deviation: f64) -> f64 {
    // Both may change sign, since the levels are symmetric; the upper tail keeps its digits.
    let (x0, mean) = if x0 < mean { (-x0, -mean) } else { (x0, mean) };
    let above = |edge: f64| 0.5 * libm::erfc((edge - mean) / (deviation * std::f64::consts::SQRT_2));
    let from = if x0 - HALF_LEVEL <= -1.0 { 1.0 } else { above(x0 - HALF_LEVEL) };
    let to = if x0 + HALF_LEVEL >= 1.0 { 0.0 } else { above(x0 + HALF_LEVEL) };
    // The floor of Ho et al. 2020, without which one stray pixel is infinite.
    -(from - to).max(1e-12).ln()
}

/// −ln of the density of a normal value of this mean and standard deviation at `x0`.
pub fn density(x0: f64, mean: f64, deviation: f64) -> f64 {
    0.5 * (2.0 * std::f64::consts::PI).ln() + deviation.ln() + 0.5 * ((x0 - mean) / deviation).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gray_levels_are_a_distribution() {
        for (mean, deviation) in [(-1.0, 0.01), (-0.3, 0.01), (0.999, 0.02), (0.2, 0.5)] {
            let level = |k: i32| (-gray_level(f64::from(k) / 127.5 - 1.0, mean, deviation)).exp();
            let found: f64 = (0..256).map(level).sum();
            assert!((found - 1.0).abs() < 1e-8, "{mean}, {deviation}: {found}");
        }
        // Narrow and centred: half a level is 1/255 away.
        let inside = 1.0 - libm::erfc(HALF_LEVEL / 0.01 / std::f64::consts::SQRT_2);
        assert!((gray_level(0.0, 0.0, 0.01) + inside.ln()).abs() < 1e-12);
        assert!((density(0.0, 0.0, 1.0) - 0.918_938_533_2).abs() < 1e-9);
    }
}
