//! How recordings become signals: the options of sound, each on where it helped.
use clap::Args;
use serde::{Deserialize, Serialize};
use std::fmt::{self, Display};
use std::str::FromStr;

/// Root mean square of a signal: peaks of speech, about 6.6 times that, just fit.
const LEVEL: f64 = 0.15;

/// How recordings are read. What is not given is found out, or is as it helped most on spoken digits.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, Args)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SoundOptions {
    /// Samples a second of the signals; recordings of another rate are resampled [default: the recordings', where all
    /// have one]
    #[arg(long, value_name = "HERTZ", value_parser = clap::value_parser!(u32).range(1000..=48_000))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate: Option<u32>,
    /// Samples of a signal: of longer recordings the loudest part, shorter ones amid silence [default: the recordings',
    /// where all have one]
    #[arg(long, value_name = "SAMPLES", value_parser = clap::value_parser!(u32).range(16..=65_535))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u32>,
    /// Take out what is lower than this: hum, and a shift of all samples; or `none` [default: 60]
    #[arg(long, value_name = "HERTZ|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub high_pass: Option<Switch>,
    /// Cut off both ends as long as they are so many decibels below the loudest 10 ms; or `none` [default: 35]
    #[arg(long, value_name = "DECIBELS|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trim: Option<Switch>,
    /// Samples over which both ends rise from silence; or `none` [default: 64]
    #[arg(long, value_name = "SAMPLES|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fade: Option<Switch>,
    /// Where a recording lies in its signal: the strongest pulse near the middle of its energy at the middle of the
    /// signal, the middle of its energy there, or its start at the start [default: pulse]
    #[arg(long)]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub align: Option<Align>,
    /// Turn recordings over so that their pulses point down: all those of a class on this axis together, each for
    /// itself, or none [default: speaker, where there is such an axis, else none]
    #[arg(long, value_name = "AXIS|each|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub polarity: Option<String>,
    /// The root mean square that every signal gets, of 1 at full scale; or `none` for as it was recorded [default: 0.15]
    #[arg(long, value_name = "RMS|none")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub level: Option<Switch>,
}

/// A number that switches something on, or `none`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Switch {
    /// Off.
    None,
    /// On, with this.
    On(f64),
}

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.parse::<f64>()) {
            ("none", _) => Ok(Self::None),
            (_, Ok(value)) if value.is_finite() && value > 0.0 => Ok(Self::On(value)),
            _ => Err("give a number above 0, or none".into()),
        }
    }
}

impl Display for Switch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::On(value) => write!(f, "{value}"),
        }
    }
}

impl Switch {
    /// What is switched on, where `usual` is what nothing given stands for.
    pub fn value(given: Option<Self>, usual: f64) -> Option<f64> {
        match given {
            None => Some(usual),
            Some(Self::None) => None,
            Some(Self::On(value)) => Some(value),
        }
    }
}

/// Where a recording lies in its signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// The middle of its energy in the middle, then moved by at most 10 ms so that its strongest negative pulse is there.
    #[default]
    Pulse,
    /// The middle of its energy in the middle.
    Energy,
    /// From the start on.
    Start,
}

impl SoundOptions {
    /// The first of the options that was given, as it is called on the command line.
    pub fn given(&self) -> Option<&'static str> {
        let given = [
            ("--rate", self.rate.is_some()),
            ("--length", self.length.is_some()),
            ("--high-pass", self.high_pass.is_some()),
            ("--trim", self.trim.is_some()),
            ("--fade", self.fade.is_some()),
            ("--align", self.align.is_some()),
            ("--polarity", self.polarity.is_some()),
            ("--level", self.level.is_some()),
        ];
        given.into_iter().find_map(|(name, given)| given.then_some(name))
    }

    /// The root mean square that signals are brought to, if they are.
    pub fn level(&self) -> Option<f64> {
        Switch::value(self.level, LEVEL)
    }

    /// Whether nothing was given.
    pub fn is_usual(&self) -> bool {
        self.given().is_none()
    }

    /// What was asked for here, and for the rest `earlier`.
    pub fn or(&self, earlier: &Self) -> Self {
        Self {
            rate: self.rate.or(earlier.rate),
            length: self.length.or(earlier.length),
            high_pass: self.high_pass.or(earlier.high_pass),
            trim: self.trim.or(earlier.trim),
            fade: self.fade.or(earlier.fade),
            align: self.align.or(earlier.align),
            polarity: self.polarity.clone().or_else(|| earlier.polarity.clone()),
            level: self.level.or(earlier.level),
        }
    }
}

super::super::options::serde_as_text!(Switch);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn switches_are_read_as_they_are_written() {
        for (text, switch) in [("none", Switch::None), ("60", Switch::On(60.0)), ("0.15", Switch::On(0.15))] {
            assert_eq!(text.parse(), Ok(switch));
            assert_eq!(switch.to_string(), text);
        }
        for wrong in ["", "0", "-3", "inf", "off"] {
            assert!(wrong.parse::<Switch>().unwrap_err().contains("none"), "{wrong}");
        }
        assert_eq!([None, Some(Switch::None)].map(|given| Switch::value(given, 7.0)), [Some(7.0), None]);
    }

    #[test]
    fn what_is_given_is_kept() {
        let options = SoundOptions { length: Some(4096), trim: Some(Switch::None), ..SoundOptions::default() };
        let text = toml::to_string(&options).unwrap();
        assert_eq!(text, "length = 4096\ntrim = \"none\"\n");
        assert_eq!(toml::from_str::<SoundOptions>(&text).unwrap(), options);
        assert_eq!((options.given(), options.is_usual()), (Some("--length"), false));
        assert_eq!(SoundOptions::default().or(&options), options);
    }
}
