//! What an emulated core printed, read back.

use anyhow::{ensure, Context, Result};
use brownian_board::{report::Line, times::Times};

/// A whole run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// One an image.
    pub chains: Vec<Chain>,
    /// Bytes of the model's activations.
    pub arena: u64,
    /// Bytes of the sampler's state.
    pub state: u64,
    /// Bytes of stack in use at most.
    pub stack: u64,
}

/// One image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chain {
    /// Its seed.
    pub seed: u64,
    /// Digest after each step.
    pub digests: Vec<u32>,
    /// Digest of the image.
    pub image: u32,
    /// Its ticks.
    pub times: Times,
    /// The snapshot that was saved on the way.
    pub saved: Vec<u8>,
}

impl Report {
    /// Reads a firmware's output; fails when it stopped before its last line.
    pub fn parse(text: &str) -> Result<Self> {
        let mut report = Self::default();
        let mut done = false;
        for line in text.lines().filter_map(Line::parse) {
            let chain = report.chains.last_mut().context("steps before the first chain");
            match line {
                Line::Calibration { .. } => {}
                Line::Chain { seed } => report.chains.push(Chain { seed, ..Chain::default() }),
                Line::Step { digest, .. } => chain?.digests.push(digest),
                Line::Saved(piece) => chain?.saved.extend_from_slice(piece.bytes()),
                Line::Image { digest, times } => {
                    let chain = chain?;
                    (chain.image, chain.times) = (digest, times);
                }
                Line::Memory { arena, state, stack } => {
                    (report.arena, report.state, report.stack) = (arena.into(), state.into(), stack.into());
                }
                Line::Done => done = true,
            }
        }
        ensure!(done, "the report stops before its end");
        Ok(report)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two steps of one chain, a picture's row between them.
    #[test]
    fn reads_a_report() {
        let text = "chain seed 4\nstep 1 digest 0000000a ticks 7\n  @@##\nsaved ab01\nstep 2 digest 0000000b ticks 8\n\
                    image digest 0000000b ticks 15 network 13 convolutions 12\nmemory arena 1 state 2 stack 3\ndone\n";
        let times = Times { chain: 15, network: 13, convolutions: 12 };
        let chain = Chain { seed: 4, digests: vec![10, 11], image: 11, times, saved: vec![0xab, 1] };
        let report = Report { chains: vec![chain], arena: 1, state: 2, stack: 3 };
        assert_eq!(Report::parse(text).unwrap(), report);
    }

    /// Without its last line a report is refused, and so is a step without a chain.
    #[test]
    fn refuses_torn_reports() {
        assert!(Report::parse("chain seed 4\nstep 1 digest 0000000a ticks 7\n").is_err());
        assert!(Report::parse("step 1 digest 0000000a ticks 7\ndone\n").is_err());
    }
}
