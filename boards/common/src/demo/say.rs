//! Lines of the serial line.

use super::board::Board;
use core::fmt::{Arguments, Write};
use heapless::String;

/// Longest line that is sent whole, its end included.
const MAX: usize = 192;
/// The most bytes that are handed to the board at once: they stand in memory while it sends them.
const PIECE: usize = if cfg!(feature = "small") { 32 } else { MAX };
/// What ends a line that is cut, and every line.
const CUT: &str = "...";
const END: &str = "\r\n";

/// Sends one line. What would be longer than [`MAX`] is cut, and ends with `...`.
pub(super) async fn say(board: &mut impl Board, line: Arguments<'_>) {
    let mut from = 0;
    loop {
        let (text, length) = piece(line, from);
        from += text.len();
        board.write(&text).await;
        if from == length {
            return;
        }
    }
}

/// What follows the first `from` bytes of a line, as much as a piece holds, and the whole line's length. The line is
/// written anew for every piece: to keep all of it would take more memory.
#[inline(never)]
fn piece(line: Arguments, from: usize) -> (String<PIECE>, usize) {
    let mut all = Window { from: usize::MAX, to: usize::MAX, ..Window::default() };
    // Windows never fail.
    _ = all.write_fmt(line);
    let (room, whole) = (MAX - END.len(), all.at <= MAX - END.len());
    let mut window = Window { from, to: if whole { room } else { room - CUT.len() }, ..Window::default() };
    _ = window.write_fmt(line);
    (window.to, window.is_cut) = (MAX, false);
    _ = window.write_str(if whole { "" } else { CUT });
    _ = window.write_str(END);
    (window.text, window.at)
}

/// A piece of what is written, in whole characters.
#[derive(Default)]
struct Window {
    /// The byte where it begins.
    from: usize,
    /// What goes beyond this byte is cut.
    to: usize,
    is_cut: bool,
    /// Bytes so far.
    at: usize,
    /// The piece is full.
    is_full: bool,
    text: String<PIECE>,
}

impl Write for Window {
    fn write_str(&mut self, part: &str) -> core::fmt::Result {
        for character in part.chars() {
            let end = self.at + character.len_utf8();
            self.is_cut |= end > self.to;
            if self.is_cut {
                break;
            }
            if self.at >= self.from && !self.is_full {
                self.is_full = self.text.push(character).is_err();
            }
            self.at = end;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::String;

    /// A whole line, from its pieces.
    fn text(line: Arguments) -> String {
        let mut text = String::new();
        loop {
            let (part, length) = piece(line, text.len());
            assert!(!part.is_empty() && part.len() <= PIECE);
            text += &part;
            if text.len() == length {
                return text;
            }
        }
    }

    #[test]
    fn long_lines_are_cut_and_end() {
        assert_eq!(text(format_args!("plan {}", 7)), "plan 7\r\n");
        let long = text(format_args!("{}", "x".repeat(500)));
        assert_eq!(long, std::format!("{}...\r\n", "x".repeat(MAX - 5)));
        let whole = "x".repeat(MAX - 2);
        assert_eq!(text(format_args!("{whole}")), std::format!("{whole}\r\n"));
    }

    /// Characters stay whole, where a line is cut and where a piece ends.
    #[test]
    fn characters_are_not_cut() {
        assert_eq!(text(format_args!("{}", "ö€".repeat(20))), std::format!("{}\r\n", "ö€".repeat(20)));
        let long = text(format_args!("x{}", "€".repeat(100)));
        assert_eq!(long, std::format!("x{}...\r\n", "€".repeat(62)));
    }
}
