//! Lines of the serial line.

use super::board::Board;
use core::fmt::{Arguments, Write};
use heapless::String;

/// Longest line that is sent whole, its end included.
const MAX: usize = 192;

/// Sends one line. What would be longer than [`MAX`] is cut, and ends with `...`.
pub(super) async fn say(board: &mut impl Board, line: Arguments<'_>) {
    board.write(&text(line)).await;
}

fn text(line: Arguments) -> String<MAX> {
    let mut text = Text { whole: true, text: String::new() };
    // Cutting never fails.
    _ = text.write_fmt(line);
    if !text.whole {
        (0..3).for_each(|_| _ = text.text.pop());
        _ = text.text.push_str("...");
    }
    _ = text.text.push_str("\r\n");
    text.text
}

struct Text {
    text: String<MAX>,
    whole: bool,
}

impl Write for Text {
    fn write_str(&mut self, part: &str) -> core::fmt::Result {
        for character in part.chars() {
            let fits = self.text.len() + character.len_utf8() <= MAX - 2 && self.whole;
            self.whole = fits && self.text.push(character).is_ok();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn long_lines_are_cut_and_end() {
        assert_eq!(text(format_args!("plan {}", 7)), "plan 7\r\n");
        let long = text(format_args!("{}", "x".repeat(500)));
        assert!(long.len() <= MAX && long.ends_with("x...\r\n"), "{long}");
        let whole = "x".repeat(MAX - 2);
        assert_eq!(text(format_args!("{whole}")), *std::format!("{whole}\r\n"));
    }
}
