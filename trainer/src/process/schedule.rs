//! Noise schedules as they are asked for on the command line and kept in a run.
use super::learned;
use brownian::plan::schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A noise schedule by name.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ScheduleName {
    /// [`Schedule::LINEAR`], with β in proportion to 1000/T.
    Linear,
    /// β evenly from the first to the last, whatever T is.
    Betas {
        /// β_1.
        first: f64,
        /// β_T.
        last: f64,
    },
    /// [`Schedule::COSINE`].
    Cosine,
    /// [`Schedule::SIGMOID`].
    Sigmoid,
    /// [`Schedule::Geometric`], whose levels are its timesteps.
    Geometric {
        /// The highest standard deviation of noise, on data in [-1, 1].
        highest: f64,
        /// The lowest.
        lowest: f64,
        /// Number of levels.
        levels: usize,
    },
    /// Learned with the network, and variances with it ([`Learned`](super::Learned)).
    Learned {
        /// β_1, which stays.
        beta_first: f64,
    },
}

/// How schedules are written, for help texts and errors.
pub const GRAMMAR: &str = "linear, linear:BETA_1:BETA_T, cosine, sigmoid, learned, learned:BETA_1 or \
                           geometric:SIGMA_MAX:SIGMA_MIN:LEVELS";
/// β_1 of a learned schedule where nothing is said.
const BETA_FIRST: f64 = 1e-4;
/// T of a learned schedule where nothing is said, as in Sohl-Dickstein et al. 2015.
pub const LEARNED_TIMESTEPS: usize = 40;
const MOST_LEVELS: usize = 100_000;

impl ScheduleName {
    /// The schedule itself, for T = `timesteps`; of one that is learned where it starts.
    pub fn schedule(self, timesteps: usize) -> Schedule {
        let pace = 1000.0 / timesteps as f64;
        match self {
            Self::Linear => Schedule::Linear { beta_first: 1e-4 * pace, beta_last: 0.02 * pace },
            Self::Betas { first, last } => Schedule::Linear { beta_first: first, beta_last: last },
            Self::Cosine => Schedule::COSINE,
            Self::Sigmoid => Schedule::SIGMOID,
            Self::Geometric { highest, lowest, .. } => Schedule::Geometric { lowest, highest },
            Self::Learned { beta_first } => learned::start(beta_first),
        }
    }

    /// β_1 where the schedule is learned.
    pub fn learned(self) -> Option<f64> {
        match self {
            Self::Learned { beta_first } => Some(beta_first),
            _ => None,
        }
    }

    /// The number of timesteps that it has by itself.
    pub fn levels(self) -> Option<usize> {
        match self {
            Self::Geometric { levels, .. } => Some(levels),
            _ => None,
        }
    }
}

impl FromStr for ScheduleName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = match text {
            "linear" => return Ok(Self::Linear),
            "cosine" => return Ok(Self::Cosine),
            "sigmoid" => return Ok(Self::Sigmoid),
            "learned" => return Ok(Self::Learned { beta_first: BETA_FIRST }),
            _ if text.starts_with("learned:") => return beta_first(text),
            _ if text.starts_with("linear:") => return betas(text),
            _ => text.strip_prefix("geometric:").map(|numbers| numbers.split(':').collect::<Vec<_>>()),
        };
        let Some([highest, lowest, levels]) = numbers.as_deref() else { return Err(format!("give {GRAMMAR}")) };
        let level = |text: &str| text.parse().ok().filter(|level: &f64| *level > 0.0 && level.is_finite());
        let (Some(highest), Some(lowest)) = (level(highest), level(lowest)) else {
            return Err("levels of noise are numbers above 0, such as geometric:2:0.02:10".into());
        };
        if lowest >= highest {
            return Err(format!("the first level, {highest}, is not above the last, {lowest}"));
        }
        let levels = levels.parse().ok().filter(|levels| (2..=MOST_LEVELS).contains(levels));
        let levels = levels.ok_or_else(|| format!("give 2 to {MOST_LEVELS} levels"))?;
        Ok(Self::Geometric { highest, lowest, levels })
    }
}

fn betas(text: &str) -> Result<ScheduleName, String> {
    let numbers: Vec<Option<f64>> = text.split(':').skip(1).map(|number| number.parse().ok()).collect();
    let [Some(first), Some(last)] = numbers[..] else {
        return Err("give linear:BETA_1:BETA_T with two numbers, such as linear:1e-4:0.05".into());
    };
    // Also refuses NaN.
    match 0.0 < first && first <= last && last < 1.0 {
        true => Ok(ScheduleName::Betas { first, last }),
        false => Err(format!("betas run from a number above 0 up to one below 1, not from {first} to {last}")),
    }
}

fn beta_first(text: &str) -> Result<ScheduleName, String> {
    let number = text.strip_prefix("learned:").and_then(|number| number.parse().ok());
    let beta_first = number.filter(|beta: &f64| (1e-9..=0.5).contains(beta));
    let beta_first = beta_first.ok_or("the β_1 of learned:BETA_1 is a number from 1e-9 to 0.5")?;
    Ok(ScheduleName::Learned { beta_first })
}

impl fmt::Display for ScheduleName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Linear => f.write_str("linear"),
            Self::Betas { first, last } => write!(f, "linear:{first}:{last}"),
            Self::Cosine => f.write_str("cosine"),
            Self::Sigmoid => f.write_str("sigmoid"),
            Self::Learned { beta_first: BETA_FIRST } => f.write_str("learned"),
            Self::Learned { beta_first } => write!(f, "learned:{beta_first}"),
            Self::Geometric { highest, lowest, levels } => write!(f, "geometric:{highest}:{lowest}:{levels}"),
        }
    }
}

impl TryFrom<String> for ScheduleName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|what| format!("the schedule {text:?}: {what}"))
    }
}

impl From<ScheduleName> for String {
    fn from(name: ScheduleName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in [
            "linear",
            "linear:0.0001:0.05",
            "cosine",
            "sigmoid",
            "learned",
            "learned:0.001",
            "geometric:2:0.02:10",
            "geometric:50:0.01:1000",
        ] {
            assert_eq!(text.parse::<ScheduleName>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("quadratic", "give linear, linear:BETA_1:BETA_T, cosine"),
            ("geometric", "SIGMA_MAX"),
            ("geometric:2:0.02", "SIGMA_MAX"),
            ("geometric:2:0:10", "above 0"),
            ("geometric:inf:1:10", "above 0"),
            ("geometric:0.02:2:10", "not above the last"),
            ("geometric:2:0.02:1", "2 to 100000 levels"),
            ("geometric:2:0.02:x", "2 to 100000 levels"),
            ("linear:0.1", "give linear:BETA_1:BETA_T"),
            ("linear:0.1:x", "give linear:BETA_1:BETA_T"),
            ("linear:0.1:0.2:0.3", "give linear:BETA_1:BETA_T"),
            ("linear:0.2:0.1", "not from 0.2 to 0.1"),
            ("linear:0:0.1", "not from 0 to 0.1"),
            ("linear:0.1:1", "not from 0.1 to 1"),
            ("linear:nan:0.1", "not from NaN to 0.1"),
            ("learned:0", "from 1e-9 to 0.5"),
            ("learned:nan", "from 1e-9 to 0.5"),
        ] {
            let error = text.parse::<ScheduleName>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
