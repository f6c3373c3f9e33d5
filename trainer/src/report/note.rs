//! Lines on standard error.
use std::fmt::Display;
use std::io::Write;

/// Writes a line to standard error. Work goes on where nobody reads it or its disk is full, so a failure is not
/// reported.
pub fn note(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
