//! Errors of the crate as exceptions with the same words.

use brownian::host::{ReadCause, ReadError};
use pyo3::create_exception;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use std::fmt::Display;

create_exception!(brownian, Error, PyValueError, "What is asked for cannot be done; the message says why.");

/// An [`Error`] with the words of `error`.
pub fn refuse(error: impl Display) -> PyErr {
    Error::new_err(error.to_string())
}

/// Of a file: an `OSError` where the system refused it, else an [`Error`].
pub fn unreadable(error: ReadError) -> PyErr {
    match &error.cause {
        ReadCause::File(cause) => std::io::Error::new(cause.kind(), error.to_string()).into(),
        _ => refuse(error),
    }
}
