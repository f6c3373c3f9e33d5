//! Processes as they are asked for on the command line and kept in a run.
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A process by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum ProcessName {
    /// [`Gaussian`](super::Gaussian): values with noise.
    #[default]
    Gaussian,
    /// [`Binomial`](super::Binomial): bits that are drawn anew.
    Binomial(Activity),
}

/// π of the binomial process: the share of ones of what is drawn anew.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activity {
    /// This share, between 0 and 1.
    Share(f64),
    /// That of the training data; a run's file has the share itself.
    Data,
}

/// How processes are written, for help texts and errors.
pub const GRAMMAR: &str = "gaussian, binomial, or binomial:ACTIVITY with a share of ones between 0 and 1 or `data`";
/// T of the binomial process where nothing is said.
pub const BIT_TIMESTEPS: usize = 100;

impl ProcessName {
    /// Whether it is over bits.
    pub fn is_binomial(&self) -> bool {
        matches!(self, Self::Binomial(_))
    }

    /// Whether it is the usual one.
    pub fn is_gaussian(&self) -> bool {
        !self.is_binomial()
    }
}

impl FromStr for ProcessName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let activity = match text {
            "gaussian" => return Ok(Self::Gaussian),
            "binomial" => return Ok(Self::Binomial(Activity::Share(0.5))),
            "binomial:data" => return Ok(Self::Binomial(Activity::Data)),
            _ => text.strip_prefix("binomial:").ok_or_else(|| format!("give {GRAMMAR}"))?,
        };
        let share = activity.parse().ok().filter(|share| *share > 0.0 && *share < 1.0);
        let share = share.ok_or_else(|| format!("{activity:?} is no share between 0 and 1; give {GRAMMAR}"))?;
        Ok(Self::Binomial(Activity::Share(share)))
    }
}

impl fmt::Display for ProcessName {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Gaussian => f.write_str("gaussian"),
            Self::Binomial(Activity::Share(0.5)) => f.write_str("binomial"),
            Self::Binomial(Activity::Share(share)) => write!(f, "binomial:{share}"),
            Self::Binomial(Activity::Data) => f.write_str("binomial:data"),
        }
    }
}

impl TryFrom<String> for ProcessName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|what| format!("the process {text:?}: {what}"))
    }
}

impl From<ProcessName> for String {
    fn from(name: ProcessName) -> Self {
        name.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for text in ["gaussian", "binomial", "binomial:0.13", "binomial:data"] {
            assert_eq!(text.parse::<ProcessName>().unwrap().to_string(), text);
        }
        for (text, reason) in [
            ("bernoulli", "give gaussian, binomial"),
            ("binomial:", "no share between 0 and 1"),
            ("binomial:1", "no share between 0 and 1"),
            ("binomial:-0.1", "no share between 0 and 1"),
            ("binomial:nan", "no share between 0 and 1"),
        ] {
            let error = text.parse::<ProcessName>().unwrap_err();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
