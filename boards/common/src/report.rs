//! The lines that firmware prints: written by [`Display`](fmt::Display), read back by [`Line::parse`].

use crate::times::Times;
use core::fmt;

/// One line of a report. Digests are CRC-32s; ticks are those of the board's counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// A known run of `instructions` took `ticks`.
    Calibration {
        /// Instructions executed.
        instructions: u64,
        /// Ticks counted meanwhile.
        ticks: u64,
    },
    /// A chain begins.
    Chain {
        /// Seed of the image.
        seed: u64,
    },
    /// A step ended.
    Step {
        /// From 1.
        step: u32,
        /// Of the state after the step.
        digest: u32,
        /// That the step took.
        ticks: u64,
    },
    /// A chain ended.
    Image {
        /// Of the image's bytes, f32 little-endian.
        digest: u32,
        /// Ticks of the whole chain.
        times: Times,
    },
    /// Part of a snapshot; the parts come in order.
    Saved(Piece),
    /// RAM in bytes.
    Memory {
        /// The model's activations.
        arena: u32,
        /// The sampler's state.
        state: u32,
        /// High-water mark.
        stack: u32,
    },
    /// All chains ended; firmware that stops earlier does not print this.
    Done,
}

/// A few bytes, written in hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    bytes: [u8; Self::LEN],
    len: usize,
}

impl Piece {
    /// The most bytes of a piece.
    pub const LEN: usize = 32;

    /// Of the first bytes of `bytes`, [`LEN`](Self::LEN) at most.
    pub fn new(bytes: &[u8]) -> Self {
        let mut piece = Self { bytes: [0; Self::LEN], len: bytes.len().min(Self::LEN) };
        piece.bytes.iter_mut().zip(bytes).for_each(|(slot, &byte)| *slot = byte);
        piece
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }

    fn parse(text: &str) -> Option<Self> {
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
        let mut bytes = [0; Self::LEN];
        let used = bytes.get_mut(..pairs.len())?;
        for (slot, pair) in used.iter_mut().zip(pairs) {
            let digit = |d: u8| char::from(d).to_digit(16);
            *slot = (digit(pair[0])? * 16 + digit(pair[1])?) as u8;
        }
        Some(Self { bytes, len: pairs.len() })
    }
}

impl fmt::Display for Piece {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Calibration { instructions, ticks } => {
                write!(f, "calibration instructions {instructions} ticks {ticks}")
            }
            Self::Chain { seed } => write!(f, "chain seed {seed}"),
            Self::Step { step, digest, ticks } => write!(f, "step {step} digest {digest:08x} ticks {ticks}"),
            Self::Image { digest, times: Times { chain, network, convolutions } } => {
                write!(f, "image digest {digest:08x} ticks {chain} network {network} convolutions {convolutions}")
            }
            Self::Saved(piece) => write!(f, "saved {piece}"),
            Self::Memory { arena, state, stack } => write!(f, "memory arena {arena} state {state} stack {stack}"),
            Self::Done => write!(f, "done"),
        }
    }
}

impl Line {
    /// Reads a line back; `None` for text that is no line of a report, such as a picture's rows.
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let line = match words.next()? {
            "calibration" => Self::Calibration {
                instructions: number(&mut words, "instructions")?,
                ticks: number(&mut words, "ticks")?,
            },
            "chain" => Self::Chain { seed: number(&mut words, "seed")? },
            "step" => Self::Step {
                step: words.next()?.parse().ok()?,
                digest: digest(&mut words)?,
                ticks: number(&mut words, "ticks")?,
            },
            "image" => Self::Image {
                digest: digest(&mut words)?,
                times: Times {
                    chain: number(&mut words, "ticks")?,
                    network: number(&mut words, "network")?,
                    convolutions: number(&mut words, "convolutions")?,
                },
            },
            "memory" => Self::Memory {
                arena: number(&mut words, "arena")?.try_into().ok()?,
                state: number(&mut words, "state")?.try_into().ok()?,
                stack: number(&mut words, "stack")?.try_into().ok()?,
            },
            "saved" => Self::Saved(Piece::parse(words.next()?)?),
            "done" => Self::Done,
            _ => return None,
        };
        words.next().is_none().then_some(line)
    }
}

fn number<'a>(words: &mut impl Iterator<Item = &'a str>, key: &str) -> Option<u64> {
    (words.next()? == key).then_some(())?;
    words.next()?.parse().ok()
}

fn digest<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<u32> {
    (words.next()? == "digest").then_some(())?;
    u32::from_str_radix(words.next()?, 16).ok()
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::string::ToString;

    /// Every kind of line survives being printed and read.
    #[test]
    fn lines_round_trip() {
        let lines = [
            Line::Calibration { instructions: 1_000_000, ticks: 25_000 },
            Line::Chain { seed: u64::MAX },
            Line::Step { step: 50, digest: 0x0012_abcd, ticks: 1 << 40 },
            Line::Image { digest: u32::MAX, times: Times { chain: 0, network: 9, convolutions: 8 } },
            Line::Memory { arena: 1, state: 2, stack: 3 },
            Line::Saved(Piece::new(&[0x00, 0x9f, 0xff])),
            Line::Saved(Piece::new(&[7; Piece::LEN])),
            Line::Done,
        ];
        for line in lines {
            assert_eq!(Line::parse(&line.to_string()), Some(line));
        }
    }

    /// Pictures, damaged lines and lines with something behind them are not taken for reports.
    #[test]
    fn other_text_is_no_line() {
        for text in [
            "",
            "  @@##",
            "step 1 digest xyz ticks 1",
            "step 1 digest 0 tocks 1",
            "done twice",
            "image",
            "saved 123",
            "saved 0g",
        ] {
            assert_eq!(Line::parse(text), None, "{text}");
        }
    }
}
