//! Threefry-2x32 with 20 rounds: a counter-based generator of additions, rotations and exclusive ors.
//!
//! Source: Salmon, Moraes, Dror, Shaw, "Parallel Random Numbers: As Easy as 1, 2, 3" (SC 2011). It has
//! no state to save and no multiplication, which suits cores without a long multiply.

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY: u32 = 0x1BD1_1BDA;

/// The two random words at `counter` under `key`.
pub fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], PARITY ^ key[0] ^ key[1]];
    let mut x0 = counter[0].wrapping_add(keys[0]);
    let mut x1 = counter[1].wrapping_add(keys[1]);
    let mut round = 0usize;
    let mut inject = 1u32;
    while inject <= 5 {
        let mut i = 0;
        while i < 4 {
            x0 = x0.wrapping_add(x1);
            x1 = x1.rotate_left(ROTATIONS[(round + i) & 7]) ^ x0;
            i += 1;
        }
        round += 4;
        x0 = x0.wrapping_add(keys[inject as usize % 3]);
        x1 = x1.wrapping_add(keys[(inject as usize + 1) % 3]).wrapping_add(inject);
        inject += 1;
    }
    [x0, x1]
}

/// The independent stream of draw number `draw` for image `image` under a 64-bit seed.
///
/// Draw 0 is x_T; draw s + 1 is the noise of step s, at most 65535; [`START`](Self::START) and
/// [`KNOWN`](Self::KNOWN) lie beyond those. Every (seed, image, draw) has its own key, so an
/// image does not depend on the batch it is in, and a chain can stop and resume at any step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    /// Number of the words that count as the first.
    #[cfg(feature = "long")]
    first: u32,
}

impl Stream {
    /// The draw that noises the image that image-to-image starts from.
    pub const START: u32 = 1 << 31;
    /// The draw that noises what inpainting keeps.
    pub const KNOWN: u32 = Self::START + 1;

    /// The stream of one draw.
    pub fn new(seed: u64, image: u32, draw: u32) -> Self {
        Self {
            key: threefry2x32([seed as u32, (seed >> 32) as u32], [draw, image]),
            #[cfg(feature = "long")]
            first: 0,
        }
    }

    /// The rest of the stream behind its first `count` pairs of words.
    #[cfg(feature = "long")]
    pub fn behind(self, count: u32) -> Self {
        Self { first: self.first.wrapping_add(count), ..self }
    }

    /// Two uniform 32-bit words, number `index` of the stream.
    #[inline]
    pub fn words(&self, index: u32) -> [u32; 2] {
        self.words_of_round(0, index)
    }

    /// The same of round `round`, where one draw is made in rounds: round 0 is [`words`](Self::words).
    #[inline]
    pub fn words_of_round(&self, round: u32, index: u32) -> [u32; 2] {
        #[cfg(feature = "long")]
        let index = index.wrapping_add(self.first);
        threefry2x32(self.key, [index, round])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers published with Random123 (file `kat_vectors`, threefry2x32 with 20 rounds).
    #[test]
    fn published_vectors() {
        assert_eq!(threefry2x32([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry2x32([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(threefry2x32([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn streams_differ_in_every_part() {
        let base = Stream::new(1, 2, 3).words(0);
        for other in [Stream::new(2, 2, 3), Stream::new(1, 3, 3), Stream::new(1, 2, 4), Stream::new(1 << 32, 2, 3)] {
            assert_ne!(base, other.words(0));
        }
        assert_ne!(base, Stream::new(1, 2, 3).words(1));
    }
}
