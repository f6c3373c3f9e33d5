//! Standard output.
use crate::{Error, Result};

/// Prints a text to standard output. A reader that has gone away, as `head` does, is no error.
///
/// # Errors
/// An output that cannot be written; never a panic.
pub fn print(text: &str) -> Result<()> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            Err(Error::Invalid(format!("standard output cannot be written: {e}")))
        }
        _ => Ok(()),
    }
}
