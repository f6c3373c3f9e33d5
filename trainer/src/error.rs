//! The one error type of the trainer: a line that says what is wrong and where, and an exit code.
use crate::report::note::Plain;
use std::path::{Path, PathBuf};

/// What went wrong. `Display` is one line, fit for standard error.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command line asks for something that does not exist or makes no sense. Exit code 2.
    #[error("{}", Plain(.0))]
    Usage(String),
    /// A file or folder could not be read, written or understood.
    #[error("{}: {}", Plain(path.display()), Plain(reason))]
    File {
        /// The file or folder.
        path: PathBuf,
        /// Why, and where it helps what to do.
        reason: String,
    },
    /// A network, a data set or a run cannot be used as asked.
    #[error("{}", Plain(.0))]
    Invalid(String),
    /// Training could not go on.
    #[error("training stopped at step {step}: {reason}")]
    Training {
        /// The step that failed, counted from 1.
        step: u64,
        /// Why.
        reason: String,
    },
}

/// The result of everything in this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl From<brownian::ParseError> for Error {
    fn from(error: brownian::ParseError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<brownian::host::ReadError> for Error {
    fn from(error: brownian::host::ReadError) -> Self {
        Self::Invalid(error.to_string())
    }
}

impl From<brownian::host::NoPlan> for Error {
    fn from(error: brownian::host::NoPlan) -> Self {
        Self::Usage(error.to_string())
    }
}

impl Error {
    /// An [`Error::File`] from a path and anything that can be shown.
    pub fn file(path: impl AsRef<Path>, reason: impl ToString) -> Self {
        Self::File { path: path.as_ref().to_path_buf(), reason: reason.to_string() }
    }

    /// The exit code of a program that ends with this error: 2 for usage, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever names files bring, an error is a line that a terminal shows as it is.
    #[test]
    fn errors_are_one_line() {
        let name = "a\nb\u{1b}[2J\u{202e}c é\\";
        let shown = "a\\nb\\u{1b}[2J\\u{202e}c é\\";
        for error in [Error::Usage(name.into()), Error::Invalid(name.into())] {
            assert_eq!(error.to_string(), shown);
        }
        let nested = Error::file(name, Error::file(name, Error::Invalid(name.into())));
        assert_eq!(nested.to_string(), [shown; 3].join(": "));
    }
}
