//! Text for a debug probe, by defmt over RTT: `probe-rs run` shows each line as the serial line has it.
//!
//! Nothing waits for a probe: lines that none fetches are overwritten by later ones. `DEFMT_LOG` does not filter them.

use core::fmt::Display;
use defmt_rtt as _;

/// Says a line; the line feed at its end is the probe's to make.
pub(crate) fn say(line: &str) {
    defmt::println!("{=str}", line.trim_end_matches(['\r', '\n']));
}

/// Says what a panic leaves to say.
pub(crate) fn last_words(words: &impl Display) {
    defmt::println!("{}", defmt::Display2Format(words));
}
