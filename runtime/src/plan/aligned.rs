//! Levels of noise between the timesteps: DiffWave's fast sampling (Kong et al. 2021, appendix B).

/// DiffWave's fast schedule: β of its six steps, from the last step of a chain, with the least noise, to the first.
pub const FAST6: [f64; 6] = [1e-4, 1e-3, 0.01, 0.05, 0.2, 0.5];

/// The timestep, with a fraction, at which √ᾱ is √`level` where it goes straight from timestep to timestep;
/// `alpha_bar[t − 1]` is ᾱ_t, and ᾱ_0 is 1. `None` for a level below ᾱ_T, or ᾱ that does not fall.
///
/// ```text
/// t + (√ᾱ_t − √level)/(√ᾱ_t − √ᾱ_{t+1})    where ᾱ_t ≥ level > ᾱ_{t+1}
/// ```
pub fn aligned(alpha_bar: &[f64], level: f64) -> Option<f64> {
    let below = alpha_bar.iter().position(|bar| *bar <= level)?;
    let above = below.checked_sub(1).map_or(Some(1.0), |above| alpha_bar.get(above).copied())?;
    let [above, at, under] = [above, level, *alpha_bar.get(below)?].map(libm::sqrt);
    let share = (above - at) / (above - under);
    (0.0..=1.0).contains(&share).then_some(below as f64 + share)
}

#[cfg(test)]
mod tests {
    use super::super::schedule::Schedule;
    use super::*;

    /// Of T = 50 as the paper has it, where the first level is that of timestep 1.
    #[test]
    fn the_fast_schedule_lies_where_the_paper_has_it() {
        let mut alpha_bar = [0.0; 50];
        Schedule::Linear { beta_first: 1e-4, beta_last: 0.05 }.alpha_bars(&mut alpha_bar);
        let mut level = 1.0;
        let expected = [1.0, 1.89, 5.09, 11.45, 23.99, 43.92];
        for (beta, expected) in FAST6.into_iter().zip(expected) {
            level *= 1.0 - beta;
            let t = aligned(&alpha_bar, level).unwrap();
            assert!((t - expected).abs() < 0.005, "{t} {expected}");
        }
    }

    #[test]
    fn levels_of_timesteps_are_theirs() {
        let alpha_bar = [0.9, 0.5, 0.1];
        for (i, bar) in alpha_bar.into_iter().enumerate() {
            assert_eq!(aligned(&alpha_bar, bar), Some(i as f64 + 1.0));
        }
        let between = aligned(&alpha_bar, 0.7).unwrap();
        assert!((1.0..2.0).contains(&between));
        assert!(aligned(&alpha_bar, 0.95).is_some_and(|t| (0.0..1.0).contains(&t)));
        assert_eq!(aligned(&alpha_bar, 0.09), None);
        assert_eq!(aligned(&[], 0.5), None);
        assert_eq!(aligned(&[0.5, 0.6, f64::NAN, 0.4], 0.45), None);
    }
}
