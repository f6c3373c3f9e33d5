//! Bytes of a serial line, as lines.

use core::fmt;
use heapless::String;

/// The longest line that is read, in characters.
pub const MAX_LINE: usize = 80;

/// A line that is not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineError {
    /// It has more than [`MAX_LINE`] characters.
    TooLong,
    /// It has bytes that are no printable ASCII characters.
    Garbage,
}

impl fmt::Display for LineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a line has at most {MAX_LINE} characters: this one is ignored to its end"),
            Self::Garbage => f.write_str("a line has printable ASCII characters only: this one is ignored to its end"),
        }
    }
}

/// Collects bytes until a line ends.
#[derive(Debug, Default)]
pub struct Typed {
    line: String<MAX_LINE>,
    /// What comes until the line's end is dropped.
    bad: bool,
    /// The line has ended: the next byte begins another.
    ended: bool,
}

impl Typed {
    /// Takes a byte. A carriage return or a line feed ends a line; empty lines are skipped; backspace and delete take
    /// back a character.
    ///
    /// # Errors
    /// At the first byte that makes the line unreadable; what follows up to its end is dropped without another word.
    pub fn byte(&mut self, byte: u8) -> Result<Option<&str>, LineError> {
        if core::mem::take(&mut self.ended) {
            self.line.clear();
        }
        match byte {
            b'\r' | b'\n' => {
                self.ended = true;
                let whole = !core::mem::take(&mut self.bad) && !self.line.trim().is_empty();
                return Ok(whole.then_some(self.line.trim()));
            }
            _ if self.bad => return Ok(None),
            0x08 | 0x7f => {
                self.line.pop();
            }
            b' '..=b'~' | b'\t' => {
                let character = if byte == b'\t' { ' ' } else { char::from(byte) };
                if self.line.push(character).is_err() {
                    return self.refuse(LineError::TooLong);
                }
            }
            _ => return self.refuse(LineError::Garbage),
        }
        Ok(None)
    }

    fn refuse(&mut self, error: LineError) -> Result<Option<&str>, LineError> {
        self.bad = true;
        self.line.clear();
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::{String, ToString};
    use std::vec::Vec;

    /// All that comes of these bytes.
    fn read(bytes: &[u8]) -> Vec<Result<String, LineError>> {
        let mut typed = Typed::default();
        bytes.iter().filter_map(|&byte| typed.byte(byte).map(|line| line.map(str::to_string)).transpose()).collect()
    }

    #[test]
    fn lines_end_with_either_character_or_both() {
        let lines = read(b"plans\r\ninfo\n\n  \rdigest\ton \r");
        assert_eq!(lines, ["plans", "info", "digest on"].map(|line| Ok(line.to_string())));
    }

    #[test]
    fn backspace_takes_back() {
        assert_eq!(read(b"\x08plaxx\x08\x7fns\n"), [Ok("plans".to_string())]);
    }

    /// 10,000 characters are one error, said at the 81st; the line after them is read.
    #[test]
    fn a_line_that_is_too_long_is_one_error() {
        let long = [&[b'x'; 10_000][..], b"\nplans\n"].concat();
        assert_eq!(read(&long), [Err(LineError::TooLong), Ok("plans".to_string())]);
        assert_eq!(read(&[&[b'x'; MAX_LINE][..], b"\n"].concat()), [Ok("x".repeat(MAX_LINE))]);
    }

    /// Bytes that are no text are one error a line.
    #[test]
    fn garbage_is_one_error() {
        let all: Vec<u8> = (0..=255).filter(|byte| !b"\r\n".contains(byte)).chain(*b"\nplans\n").collect();
        assert_eq!(read(&all), [Err(LineError::Garbage), Ok("plans".to_string())]);
    }

    /// A command whose end has not come yet is nothing.
    #[test]
    fn half_a_command_waits() {
        assert_eq!(read(b"sample se"), []);
    }
}
