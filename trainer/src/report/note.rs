//! Lines on standard error.
use std::fmt::{self, Display, Write as _};
use std::io::Write;

/// Writes a line to standard error, as [`Plain`]. Work goes on where nobody reads it or its disk is full, so a failure
/// is not reported.
pub fn note(line: impl Display) {
    let _ = writeln!(std::io::stderr().lock(), "{}", Plain(line));
}

/// What is shown on one line: characters that end lines, steer a terminal or turn the direction of writing, which names
/// in files may hold, are written by their escapes.
#[derive(Debug)]
pub struct Plain<T>(pub T);

impl<T: Display> Display for Plain<T> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(Escaping(f), "{}", self.0)
    }
}

struct Escaping<'a, 'b>(&'a mut fmt::Formatter<'b>);

impl fmt::Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| match is_steering(c) {
            true => write!(self.0, "{}", c.escape_default()),
            false => self.0.write_char(c),
        })
    }
}

fn is_steering(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}
