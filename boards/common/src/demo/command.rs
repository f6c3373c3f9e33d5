//! The words of a line: `sample seed=7 class=3 plan=fast5`, `plans`, `classes`, `info`, `digest on`, `cancel`, `help`.

use core::fmt;

/// What a line asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Command<'a> {
    /// Draw.
    Sample(Sample<'a>),
    /// Name the model's plans.
    Plans,
    /// Name the model's classes.
    Classes,
    /// Tell about the board and the model.
    Info,
    /// Tell the digest of every step, or not.
    Digest(bool),
    /// Stop the draw.
    Cancel,
    /// Name the words.
    Help,
    /// Hang until the watchdog bites.
    #[cfg(feature = "hang")]
    Hang,
}

/// What to draw; what is not said stays as it was.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sample<'a> {
    /// The seed.
    pub seed: Option<u64>,
    /// Classes of the model by their names, joined by `+`, or `none`.
    pub class: Option<&'a str>,
    /// A plan of the model.
    pub plan: Option<&'a str>,
}

/// Why a line is no command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandError<'a> {
    /// Its first word is none of ours.
    Unknown(&'a str),
    /// `sample` with a word that it does not know.
    Sample(&'a str),
    /// A seed that is no number.
    Seed(&'a str),
    /// `digest` with another word than `on` or `off`, or none.
    Digest,
    /// A word too many.
    TooMany(&'a str),
}

/// The words, in one line.
pub const WORDS: &str =
    "sample [seed=N] [class=NAME|none] [plan=NAME], plans, classes, info, digest on|off, cancel, help";

impl fmt::Display for CommandError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(word) => write!(f, "no word '{word}': use {WORDS}"),
            Self::Sample(word) => write!(f, "cannot read '{word}': use sample [seed=N] [class=NAME|none] [plan=NAME]"),
            Self::Seed(value) => write!(f, "no seed '{value}': use a whole number from 0 to {}", u64::MAX),
            Self::Digest => f.write_str("use digest on or digest off"),
            Self::TooMany(word) => write!(f, "cannot read '{word}': one word too many"),
        }
    }
}

impl<'a> Command<'a> {
    /// Reads a line that is not empty.
    ///
    /// # Errors
    /// The word that cannot be read.
    pub fn parse(line: &'a str) -> Result<Self, CommandError<'a>> {
        let mut words = line.split_ascii_whitespace();
        let first = words.next().unwrap_or("");
        let command = match first {
            "sample" => return words.try_fold(Sample::default(), Sample::word).map(Self::Sample),
            "plans" => Self::Plans,
            "classes" => Self::Classes,
            "info" => Self::Info,
            "digest" => match words.next() {
                Some("on") => Self::Digest(true),
                Some("off") => Self::Digest(false),
                _ => return Err(CommandError::Digest),
            },
            "cancel" => Self::Cancel,
            "help" => Self::Help,
            #[cfg(feature = "hang")]
            "hang" => Self::Hang,
            _ => return Err(CommandError::Unknown(first)),
        };
        words.next().map_or(Ok(command), |word| Err(CommandError::TooMany(word)))
    }
}

impl<'a> Sample<'a> {
    fn word(self, word: &'a str) -> Result<Self, CommandError<'a>> {
        match word.split_once('=') {
            Some(("seed", value)) => match value.parse() {
                Ok(seed) => Ok(Self { seed: Some(seed), ..self }),
                Err(_) => Err(CommandError::Seed(value)),
            },
            Some(("class", value)) if !value.is_empty() => Ok(Self { class: Some(value), ..self }),
            Some(("plan", value)) if !value.is_empty() => Ok(Self { plan: Some(value), ..self }),
            _ => Err(CommandError::Sample(word)),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    #[test]
    fn reads_every_word() {
        let sample = Sample { seed: Some(7), class: Some("3"), plan: Some("fast5") };
        assert_eq!(Command::parse("sample plan=fast5 class=3  seed=7"), Ok(Command::Sample(sample)));
        assert_eq!(Command::parse("sample"), Ok(Command::Sample(Sample::default())));
        for (line, command) in [
            ("plans", Command::Plans),
            ("classes", Command::Classes),
            ("info", Command::Info),
            ("digest on", Command::Digest(true)),
            ("digest off", Command::Digest(false)),
            ("cancel", Command::Cancel),
            ("help", Command::Help),
        ] {
            assert_eq!(Command::parse(line), Ok(command));
        }
    }

    /// Half a command, wrong numbers and words too many are named, each in one line that says what to type.
    #[test]
    fn names_what_it_cannot_read() {
        for (line, error) in [
            ("sampl", CommandError::Unknown("sampl")),
            ("Sample", CommandError::Unknown("Sample")),
            ("hang", CommandError::Unknown("hang")),
            ("sample seed", CommandError::Sample("seed")),
            ("sample class=", CommandError::Sample("class=")),
            ("sample speed=7", CommandError::Sample("speed=7")),
            ("sample seed=", CommandError::Seed("")),
            ("sample seed=-1", CommandError::Seed("-1")),
            ("sample seed=18446744073709551616", CommandError::Seed("18446744073709551616")),
            ("digest", CommandError::Digest),
            ("digest maybe", CommandError::Digest),
            ("plans all", CommandError::TooMany("all")),
        ] {
            let found = Command::parse(line).unwrap_err();
            assert_eq!(found, error, "{line}");
            let text = found.to_string();
            assert!(!text.contains('\n') && (text.contains("use ") || text.contains("too many")), "{text}");
        }
    }
}
