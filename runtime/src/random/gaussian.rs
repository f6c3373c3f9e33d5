//! Standard normal numbers from uniform words, in integer arithmetic.
//!
//! The upper tail quantile z(p), Φ(−z) = p, is a table of quadratics: the 31-bit magnitude u of a word
//! stands for p = (u + 1/2)/2^32; its leading zeros choose an octave, the next three bits one of eight
//! segments, and the next sixteen the place within. The result is a multiple of 2^-16, so its
//! conversion to f32 is exact, and |z| reaches 6.2.

use super::table::{Segment, SEGMENTS};
use super::threefry::Stream;

/// Standard normal z from one uniform 32-bit word: bit 31 is the sign, the rest gives |z|.
#[inline]
pub fn normal(word: u32) -> f32 {
    // A zero magnitude would have no leading one; it shares the last octave.
    let magnitude = (word & 0x7fff_ffff) | u32::from(word & 0x7fff_ffff == 0);
    let octave = magnitude.leading_zeros() - 1;
    let normalised = magnitude << octave;
    let segment = octave as usize * 8 + (normalised >> 27 & 7) as usize;
    let t = (normalised >> 11 & 0xffff) as i32;
    let Some(&Segment { c0, c1, c2 }) = SEGMENTS.get(segment) else { return 0.0 };
    let z = c0 + ((c1 as i32 * t) >> 16) + ((((c2 as i32 * t) >> 16) * t) >> 16);
    let signed = if word >> 31 == 0 { z } else { -z };
    signed as f32 * (1.0 / 65536.0)
}

impl Stream {
    /// Two standard normal values, number `index` of the stream.
    // Once in a firmware, though every loop over a state calls it.
    #[inline(never)]
    pub fn normals(&self, index: u32) -> [f32; 2] {
        self.words(index).map(normal)
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// Upper tail quantile by Newton's method on erfc.
    fn quantile(p: f64) -> f64 {
        let mut z = libm::sqrt((-2.0 * libm::log(p)).max(0.0)) * if p > 0.3 { 0.3 } else { 0.9 };
        for _ in 0..60 {
            let tail = 0.5 * libm::erfc(z * core::f64::consts::FRAC_1_SQRT_2);
            let density = libm::exp(-0.5 * z * z) / libm::sqrt(2.0 * core::f64::consts::PI);
            z += ((tail - p) / density).clamp(-0.5, 0.5);
        }
        z
    }

    /// The table, made anew: a quadratic through the three Chebyshev nodes of each segment.
    fn build() -> Vec<Segment> {
        let mut segments = Vec::new();
        for octave in 0..31u32 {
            for sub in 0..8u32 {
                let place = |t: f64| {
                    let normalised = (1u64 << 30) as f64 + (sub as f64 + t) * (1u64 << 27) as f64;
                    65536.0 * quantile((normalised / (1u64 << octave) as f64 + 0.5) / 4294967296.0)
                };
                let (h, m) = (0.5 * libm::cos(core::f64::consts::PI / 6.0), 0.5);
                let (y0, y1, y2) = (place(m - h), place(m), place(m + h));
                let (slope, curve) = ((y2 - y0) / (2.0 * h), (y2 - 2.0 * y1 + y0) / (2.0 * h * h));
                // In powers of t; the added 3/4 is what the two floors take away on average.
                let c0 = y1 - slope * m + curve * m * m + 0.75;
                segments.push(Segment {
                    c0: libm::round(c0) as i32,
                    c1: libm::round(slope - 2.0 * curve * m) as i16,
                    c2: libm::round(curve) as i16,
                });
            }
        }
        segments
    }

    /// Set BLESS=1 to write the table anew.
    #[test]
    fn table_is_the_normal_quantile() {
        let built = build();
        if std::env::var_os("BLESS").is_some() {
            // The table's own file up to the numbers stays.
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/random/table.rs");
            let old = std::fs::read_to_string(path).unwrap();
            let mut text = std::string::String::from(&old[..old.find("[\n").unwrap() + 2]);
            for s in &built {
                text += &std::format!("    Segment {{ c0: {}, c1: {}, c2: {} }},\n", s.c0, s.c1, s.c2);
            }
            text += "];\n";
            std::fs::write(path, text).unwrap();
            return;
        }
        assert_eq!(built[..], SEGMENTS[..]);
    }

    #[test]
    fn error_against_the_exact_quantile() {
        let mut worst = 0.0f64;
        for i in 0..200_000u64 {
            // Words of every octave.
            let magnitude = (0x7fff_ffffu64 - i * 10_000) as u32 >> (i % 31);
            let p = (magnitude as f64 + 0.5) / 4294967296.0;
            if magnitude > 0 {
                worst = worst.max((normal(magnitude) as f64 - quantile(p)).abs());
            }
        }
        assert!(worst < 1e-4, "{worst}");
    }

    #[test]
    fn signs_mirror_and_range_is_bounded() {
        for word in [0u32, 1, 2, 77, 0x1234_5678, 0x7fff_ffff] {
            assert_eq!(normal(word), -normal(word | 0x8000_0000));
            assert!(normal(word).abs() < 6.4);
        }
        assert!(normal(1) > 6.0);
    }

    /// Mean, variance, skewness, kurtosis, tails and autocorrelation over 2^22 draws, each within
    /// five standard errors (tails: Poisson).
    #[test]
    fn moments_tails_and_autocorrelation() {
        const N: usize = 1 << 22;
        let stream = Stream::new(0x0123_4567_89ab_cdef, 3, 1);
        let z: Vec<f64> = (0..N as u32 / 2).flat_map(|i| stream.words(i).map(|w| normal(w) as f64)).collect();
        let n = N as f64;
        let moment = |k: i32| z.iter().map(|v| v.powi(k)).sum::<f64>() / n;
        let (mean, variance, skew, kurtosis) = (moment(1), moment(2), moment(3), moment(4));
        assert!(mean.abs() < 5.0 / n.sqrt(), "mean {mean}");
        assert!((variance - 1.0).abs() < 5.0 * (2.0 / n).sqrt(), "variance {variance}");
        assert!(skew.abs() < 5.0 * (15.0 / n).sqrt(), "skewness {skew}");
        assert!((kurtosis - 3.0).abs() < 5.0 * (96.0 / n).sqrt(), "kurtosis {kurtosis}");
        for (limit, p) in [(2.0, 0.0455002639), (3.0, 0.0026997961), (4.0, 6.33424837e-5)] {
            let count = z.iter().filter(|v| v.abs() > limit).count() as f64;
            assert!((count - n * p).abs() < 5.0 * (n * p).sqrt(), "beyond {limit}: {count}, expected {}", n * p);
        }
        for lag in [1usize, 2, 3, 28, 784] {
            let r = z.iter().zip(&z[lag..]).map(|(a, b)| a * b).sum::<f64>() / n;
            assert!(r.abs() < 5.0 / n.sqrt(), "lag {lag}: {r}");
        }
    }
}
