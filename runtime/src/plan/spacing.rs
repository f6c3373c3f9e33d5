//! Which timesteps a plan visits.

use super::error::PlanError;

/// How a plan's timesteps are spaced between the first one and 0.
///
/// | | timesteps t_i of S steps, i = 0..S | from |
/// |---|---|---|
/// | `Uniform` | first − ⌊i·first/S⌋ | DDIM, "linear"; "trailing" elsewhere |
/// | `Quadratic` | first·((S − i)/S)² | DDIM, appendix D.2 |
/// | `LogSnr` | λ = ½·ln(ᾱ/(1 − ᾱ)) evenly from λ_first to λ_1 | DPM-Solver, section 3.4 |
/// | `Karras` | ς^(1/7) evenly from ς_first to ς_1, with ς = √((1 − ᾱ)/ᾱ) | Karras et al. 2022, equation 5 |
///
/// The last three are rounded to timesteps, nearest for the last two in the measure they space. Where that
/// makes two of them the same, the earlier ones move up (and, at the start, the later ones down) by as little
/// as keeps them apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Spacing {
    /// Evenly in t.
    #[default]
    Uniform,
    /// Evenly in √t: more steps where little noise is left.
    Quadratic,
    /// Evenly in the logarithm of the signal-to-noise ratio.
    LogSnr,
    /// Evenly in the seventh root of the noise-to-signal ratio.
    Karras,
}

impl Spacing {
    /// Every spacing.
    pub const ALL: [Self; 4] = [Self::Uniform, Self::Quadratic, Self::LogSnr, Self::Karras];

    /// Its name on a command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Uniform => "uniform",
            Self::Quadratic => "quadratic",
            Self::LogSnr => "logsnr",
            Self::Karras => "karras",
        }
    }

    /// The spacing of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|spacing| spacing.name() == name)
    }

    /// Fills `out` with strictly falling timesteps from `first` on; `alpha_bar[t − 1]` is ᾱ_t.
    ///
    /// # Errors
    /// No steps, more steps than `first`, a `first` beyond T, or ᾱ that does not fall.
    pub fn timesteps(self, first: u32, alpha_bar: &[f64], out: &mut [u32]) -> Result<(), PlanError> {
        let steps = out.len();
        if steps == 0 {
            return Err(PlanError::Length);
        }
        let bars = alpha_bar.get(..first as usize).filter(|bars| !bars.is_empty()).ok_or(PlanError::Timesteps(0))?;
        if steps > first as usize {
            return Err(PlanError::TooMany { steps, first });
        }
        let mut above = 1.0;
        for (i, &bar) in bars.iter().enumerate() {
            if !(bar >= 0.0 && bar < above) {
                return Err(PlanError::Schedule { timestep: i as u32 + 1 });
            }
            above = bar;
        }
        for (i, t) in out.iter_mut().enumerate() {
            *t = match self {
                Self::Uniform => first - (i as u64 * first as u64 / steps as u64) as u32,
                Self::Quadratic => {
                    let share = (steps - i) as f64 / steps as f64;
                    libm::round(first as f64 * share * share) as u32
                }
                Self::LogSnr | Self::Karras => self.nearest(bars, i as f64 / (steps - 1).max(1) as f64),
            };
        }
        separate(first, out);
        Ok(())
    }

    /// What [`nearest`](Self::nearest) spaces evenly; it grows as ᾱ falls, and is finite for 0 < ᾱ < 1.
    fn measure(self, bar: f64) -> f64 {
        let ratio = (1.0 - bar) / bar;
        match self {
            Self::Karras => libm::pow(ratio, 1.0 / 14.0),
            _ => 0.5 * libm::log(ratio),
        }
    }

    /// The timestep whose measure is nearest to that of `share` of the way from the last of `bars` (the last
    /// that is not 0, because the measure of 0 is infinite) to the first.
    fn nearest(self, bars: &[f64], share: f64) -> u32 {
        let positive = bars.partition_point(|&bar| bar > 0.0);
        let of = |t: usize| bars.get(t.wrapping_sub(1)).map_or(0.0, |&bar| self.measure(bar));
        let target = of(positive) + share * (of(1) - of(positive));
        let above = bars.get(..positive).unwrap_or(&[]).partition_point(|&bar| self.measure(bar) < target) + 1;
        // The neighbours `above − 1` and `above` enclose the target.
        let (low, high) = (above.saturating_sub(1).max(1), above.min(positive.max(1)));
        let nearer = if target - of(low) < of(high) - target { low } else { high };
        nearer as u32
    }
}

/// Makes the timesteps strictly fall from `first`, whose number must be at least theirs.
fn separate(first: u32, out: &mut [u32]) {
    let mut lowest = 1;
    for t in out.iter_mut().rev() {
        *t = (*t).max(lowest);
        lowest = *t + 1;
    }
    let mut highest = first;
    for (i, t) in out.iter_mut().enumerate() {
        *t = if i == 0 { first } else { (*t).min(highest) };
        highest = t.saturating_sub(1);
    }
}
