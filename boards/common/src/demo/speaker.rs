//! A sound on its way to a speaker: in small blocks, of which one plays while the next is filled.

/// Samples of a block.
pub const BLOCK: usize = 64;
/// Values of a block: each sample for the left and for the right, since amplifiers play either or the mean of both.
pub const VALUES: usize = 2 * BLOCK;
/// Blocks of silence behind a sound, while its last samples are on their way.
const SILENT: usize = 2;

/// The samples of a sound that have not been handed over yet.
pub struct Sound<'s> {
    samples: &'s mut dyn Iterator<Item = i16>,
    silent: usize,
}

impl<'s> Sound<'s> {
    /// These samples, and silence behind them.
    pub fn new(samples: &'s mut dyn Iterator<Item = i16>) -> Self {
        Self { samples, silent: SILENT }
    }

    /// Fills a block of left and right values. Returns whether it is to be played; behind the sound's end it is not.
    pub fn fill(&mut self, block: &mut [i16]) -> bool {
        let mut is_sound = false;
        for sides in block.chunks_mut(2) {
            let sample = self.samples.next();
            is_sound |= sample.is_some();
            sides.fill(sample.unwrap_or_default());
        }
        if !is_sound {
            let Some(left) = self.silent.checked_sub(1) else { return false };
            self.silent = left;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// What blocks of four values hold.
    fn blocks(samples: &[i16]) -> Vec<[i16; 4]> {
        let mut samples = samples.iter().copied();
        let mut sound = Sound::new(&mut samples);
        let mut blocks = Vec::new();
        let mut block = [9; 4];
        while sound.fill(&mut block) {
            blocks.push(block);
        }
        assert!(!sound.fill(&mut block));
        blocks
    }

    /// Each sample goes to both sides; the last block is filled up, and silence follows.
    #[test]
    fn blocks_hold_every_sample_twice() {
        assert_eq!(blocks(&[1, -2, 3]), [[1, 1, -2, -2], [3, 3, 0, 0], [0; 4], [0; 4]]);
        assert_eq!(blocks(&[i16::MIN, i16::MAX]), [[i16::MIN, i16::MIN, i16::MAX, i16::MAX], [0; 4], [0; 4]]);
        assert_eq!(blocks(&[]), [[0; 4]; 2]);
    }
}
